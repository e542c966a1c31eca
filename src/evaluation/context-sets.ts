import type { Context } from '../probes/contexts.js';
import type { Measurement } from '../probes/measure.js';
import { probeTokens, questionsPerRung, SHORT_RUNGS, type PresetPlan } from '../probes/presets.js';
import { lastWindow, upToRung } from '../probes/reshape.js';
import type { TextSource } from '../probes/text-source.js';
import type { Treatment } from '../subjects/subject.js';
import type { Asked, ContextSet, QuestionList } from './questions.js';

/** The contexts that every variant is asked on; `windows` is for the reference alone. */
export interface ContextSets {
  readonly short: ContextSet;
  readonly shortText: ContextSet;
  readonly ladder: ContextSet;
  readonly ladderText: ContextSet;
  /** The ladder's text, each rung cut to one trained window: context * rungs + rung. */
  readonly windows: ContextSet;
}

/** Each set draws from a stream of its own, so that a bigger preset only adds contexts. */
export const STREAM = Object.freeze({
  short: 1,
  shortText: 2,
  ladder: 3,
  ladderText: 4,
  decomposition: 5,
  switchFacts: 8,
  switchText: 9,
});

/** Which contexts of a stream are drawn. */
export interface Draw {
  readonly seed: number;
  readonly stream: number;
  readonly count: number;
  /** Index of the first; default 0. */
  readonly from?: number;
}

export function drawContexts(
  { seed, stream, count, from = 0 }: Draw,
  write: (seed: number, index: number) => Context,
): Context[] {
  return Array.from({ length: count }, (_, i) => write(seed * 16 + stream, from + i));
}

/** Writes facts that are asked at every rung of a ladder. */
function ladderFacts(
  texts: TextSource,
  rungs: readonly number[],
): (seed: number, index: number) => Context {
  const plan = {
    rungs,
    questionsPerRung: questionsPerRung(rungs.length, texts.keys),
    copies: false,
  };
  return (seed, index) => texts.facts(plan, seed, index);
}

/** What is drawn. */
export interface SetsPlan {
  readonly texts: TextSource;
  /** The subject's trained window, tokens. */
  readonly window: number;
  /** Tokens before a rung that count as text at that length. */
  readonly textSpan: number;
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: Pick<PresetPlan, 'short' | 'shortText' | 'long' | 'longText'>;
  readonly seed: number;
}

export function contextSets({
  texts,
  window,
  textSpan,
  multiples,
  samples,
  seed,
}: SetsPlan): ContextSets {
  const shortRungs = SHORT_RUNGS.map((m) => probeTokens(m, window));
  const rungs = multiples.map((m) => probeTokens(m, window));
  const draw = (count: number, name: keyof typeof STREAM) => ({
    seed,
    stream: STREAM[name],
    count,
  });
  const textAt = (rungs: readonly number[]) => (s: number, i: number) =>
    texts.text({ rungs, span: textSpan }, s, i);
  const ladderText = drawContexts(draw(samples.longText, 'ladderText'), textAt(rungs));
  return {
    short: {
      name: 'short',
      lengths: shortRungs,
      contexts: drawContexts(draw(samples.short, 'short'), (s, i) =>
        texts.facts({ rungs: shortRungs, questionsPerRung: 6, copies: true }, s, i),
      ),
    },
    shortText: {
      name: 'short-text',
      lengths: shortRungs,
      contexts: drawContexts(draw(samples.shortText, 'shortText'), textAt(shortRungs)),
    },
    ladder: {
      name: 'long',
      lengths: rungs,
      contexts: drawContexts(draw(samples.long, 'ladder'), ladderFacts(texts, rungs)),
    },
    ladderText: { name: 'long-text', lengths: rungs, contexts: ladderText },
    windows: {
      name: 'windows',
      lengths: [window],
      contexts: ladderText.flatMap((c) => rungs.map((end, r) => lastWindow(c, r, end, window))),
    },
  };
}

/** What further contexts are drawn from, and how many. */
export interface FurtherPlan {
  readonly texts: TextSource;
  /** The preset's own contexts on the ladder. */
  readonly own: ContextSet;
  /** Tokens of the subject: a rung of the ladder. */
  readonly target: number;
  /** Contexts that a variant gets in all, at most. */
  readonly most: number;
  readonly seed: number;
}

/**
 * Contexts of facts beyond the preset's own, for variants whose verdict those leave open: drawn from
 * the same stream, so that a variant is judged on the contexts that a bigger preset gives to all.
 * They end at the target, which is what the verdict is about.
 */
export class FurtherContexts {
  readonly #rounds: ContextSet[] = [];
  /** Rungs of the ladder that do not pass the target. */
  readonly #rungs: number;

  constructor(private readonly plan: FurtherPlan) {
    this.#rungs = plan.own.lengths.filter((tokens) => tokens <= plan.target).length;
  }

  /** Twice as many contexts as so far; undefined: a variant has had them all. */
  #next(): ContextSet | undefined {
    const { own, most, seed, texts } = this.plan;
    const sofar = [own, ...this.#rounds].reduce((sum, set) => sum + set.contexts.length, 0);
    if (sofar >= most) return undefined;
    const { lengths } = own;
    const last = this.#rungs - 1;
    const count = Math.min(sofar, most - sofar);
    const draw = { seed, stream: STREAM.ladder, count, from: sofar };
    const set: ContextSet = {
      name: `long from ${sofar}`,
      lengths: lengths.slice(0, this.#rungs),
      contexts: drawContexts(draw, ladderFacts(texts, lengths)).map((context) =>
        upToRung(context, last, lengths[last]!),
      ),
    };
    this.#rounds.push(set);
    return set;
  }

  /**
   * Asks the next contexts.
   *
   * @param open what undecided variants were asked on the ladder
   * @returns false where nothing is open, or all contexts were given
   */
  ask(questions: QuestionList, open: readonly LadderAsked[]): boolean {
    const set = open.length > 0 ? this.#next() : undefined;
    if (!set) return false;
    for (const { label, facts } of open) questions.ask(set, this.#treatments(facts), label);
    return true;
  }

  #treatments({ questions }: Asked): Treatment[] {
    return questions.slice(0, this.#rungs).map(({ treatment }) => treatment);
  }

  /**
   * A variant on the preset's contexts, and on all further ones that its treatments were asked on.
   *
   * @param own on the preset's contexts
   */
  join(own: Measurement, facts: Asked, questions: QuestionList): Measurement {
    let measurement = own;
    for (const set of this.#rounds) {
      const asked = questions.asked(set, this.#treatments(facts));
      const more = asked && questions.measurement(asked);
      if (!more) break;
      measurement = {
        ...measurement,
        contexts: [...measurement.contexts, ...more.contexts],
        // Beyond the target they have nothing to score, so any scores will do there.
        at: measurement.at.map((scores, r) => [...scores, ...(more.at[r] ?? more.at.at(-1)!)]),
      };
    }
    return measurement;
  }
}

/** Facts on the ladder, as a variant was asked. */
export interface LadderAsked {
  readonly label: string;
  readonly facts: Asked;
}

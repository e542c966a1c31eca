import { type Context, lastWindow, type TextSource, upToRung } from '../probes/contexts.js';
import type { Measurement } from '../probes/measure.js';
import { type PresetPlan, probeTokens, questionsPerRung, SHORT_RUNGS } from '../probes/presets.js';
import type { Treatment } from '../subjects/subject.js';
import type { Asked, ContextSet, QuestionList } from './questions.js';

/** The contexts that every variant is asked on, except `windows`, which only the reference is. */
export interface ContextSets {
  readonly short: ContextSet;
  readonly shortText: ContextSet;
  readonly ladder: ContextSet;
  readonly ladderText: ContextSet;
  /** The ladder's text with each rung cut to one trained window: context * rungs + rung. */
  readonly windows: ContextSet;
}

/** Every set has its own random stream, so that a larger preset only adds contexts. */
export const STREAM = Object.freeze({
  short: 1,
  shortText: 2,
  ladder: 3,
  ladderText: 4,
  decomposition: 5,
  switchFacts: 8,
  switchText: 9,
});

interface Draw {
  readonly seed: number;
  readonly stream: number;
  readonly count: number;
  /** Index of the first context; default 0. */
  readonly from?: number;
}

/** Makes the context of a stream that has an index. */
type ContextWriter = (seed: number, index: number) => Context;

/** Draws contexts of a stream. */
export function drawContexts(
  { seed, stream, count, from = 0 }: Draw,
  write: ContextWriter,
): Context[] {
  return Array.from({ length: count }, (_, i) => write(seed * 16 + stream, from + i));
}

function ladderFacts(texts: TextSource, rungs: readonly number[]): ContextWriter {
  const perRung = questionsPerRung(rungs.length, texts.keys);
  const plan = { rungs, questionsPerRung: perRung, copies: false };
  return (seed, index) => texts.facts(plan, seed, index);
}

interface SetsPlan {
  readonly texts: TextSource;
  /** The subject's trained window, tokens. */
  readonly window: number;
  /** Tokens before a rung that count as text at that rung's length. */
  readonly textSpan: number;
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: Pick<PresetPlan, 'short' | 'shortText' | 'long' | 'longText'>;
  readonly seed: number;
}

/** Draws all sets of contexts of a run. One seed gives one set of contexts. */
export function contextSets(plan: SetsPlan): ContextSets {
  const { texts, window, textSpan, multiples, samples, seed } = plan;
  const shortRungs = SHORT_RUNGS.map((m) => probeTokens(m, window));
  const rungs = multiples.map((m) => probeTokens(m, window));
  const draw = (name: keyof typeof STREAM, count: number, write: ContextWriter): Context[] =>
    drawContexts({ seed, stream: STREAM[name], count }, write);
  const shortFacts: ContextWriter = (s, i) =>
    texts.facts({ rungs: shortRungs, questionsPerRung: 6, copies: true }, s, i);
  const textAt =
    (rungs: readonly number[]): ContextWriter =>
    (s, i) =>
      texts.text({ rungs, span: textSpan }, s, i);
  const ladderText = draw('ladderText', samples.longText, textAt(rungs));
  return {
    short: {
      name: 'short',
      lengths: shortRungs,
      contexts: draw('short', samples.short, shortFacts),
    },
    shortText: {
      name: 'short-text',
      lengths: shortRungs,
      contexts: draw('shortText', samples.shortText, textAt(shortRungs)),
    },
    ladder: {
      name: 'long',
      lengths: rungs,
      contexts: draw('ladder', samples.long, ladderFacts(texts, rungs)),
    },
    ladderText: { name: 'long-text', lengths: rungs, contexts: ladderText },
    windows: {
      name: 'windows',
      lengths: [window],
      contexts: ladderText.flatMap((c) => rungs.map((end, r) => lastWindow(c, r, end, window))),
    },
  };
}

interface FurtherPlan {
  readonly texts: TextSource;
  /** The contexts of the preset on the ladder. Further portions are added to it. */
  readonly series: Series;
  /** Tokens of the subject, one of the ladder's rungs. */
  readonly target: number;
  /** The most contexts that a variant gets in all. */
  readonly most: number;
  readonly seed: number;
}

/**
 * Draws further contexts of facts for variants whose verdict is still open, as many as there are so
 * far. They come from the same stream, so that a variant is judged on the contexts that a larger
 * preset gives to all variants. They end at the target, because the verdict is about the target.
 *
 * @returns false if `most` contexts have been drawn already
 */
export function drawFurther({ texts, series, target, most, seed }: FurtherPlan): boolean {
  const sofar = series.portions.reduce((sum, set) => sum + set.contexts.length, 0);
  if (sofar >= most) return false;
  const { lengths } = series.portions[0]!;
  const rungs = lengths.filter((tokens) => tokens <= target);
  const count = Math.min(sofar, most - sofar);
  const draw = { seed, stream: STREAM.ladder, count, from: sofar };
  series.portions.push({
    name: `long from ${sofar}`,
    lengths: rungs,
    contexts: drawContexts(draw, ladderFacts(texts, lengths)).map((context) =>
      upToRung(context, rungs.length - 1, rungs.at(-1)!),
    ),
  });
  return true;
}

/** Shares of a preset's contexts after which a run checks what it knows. */
const SHARES = Object.freeze([1 / 4, 1 / 2, 1]);

/** Contexts of one kind, in portions that are asked one after the other until enough is known. */
export interface Series {
  /** Portions of the preset's contexts; further ones may follow. */
  readonly portions: ContextSet[];
  /** Numbers of portions that make a quarter, half and all of the preset's contexts. */
  readonly upTo: Readonly<Record<'quarter' | 'half' | 'whole', number>>;
}

/** Divides a set into portions. @param group number of consecutive contexts that stay together */
export function divide(set: ContextSet, group = 1): Series {
  const { name, lengths, contexts } = set;
  const count = contexts.length / group;
  const ends = SHARES.map((share) => Math.ceil(share * count));
  const cuts = [...new Set(ends)].filter((end) => end > 0);
  const portions = cuts.map((end, i): ContextSet => {
    const from = cuts[i - 1] ?? 0;
    return {
      name: from === 0 ? name : `${name} from ${from}`,
      lengths,
      contexts: contexts.slice(from * group, end * group),
    };
  });
  const [quarter, half, whole] = ends.map((end) => cuts.indexOf(end) + 1);
  return { portions, upTo: { quarter: quarter!, half: half!, whole: whole! } };
}

/** Makes a series of one portion. */
export function undivided(set: ContextSet): Series {
  return { portions: [set], upTo: { quarter: 1, half: 1, whole: 1 } };
}

/** A series under the treatments of one variant, with what was asked and answered. */
export class AskedSeries {
  readonly #asked: Asked[] = [];

  /** @param treatments one per rung */
  constructor(
    private readonly questions: QuestionList,
    readonly series: Series,
    readonly treatments: readonly Treatment[],
    private readonly label: string,
  ) {}

  /** Asks the first `portions` portions, except those that were asked already. */
  ask(portions: number): void {
    for (const set of this.series.portions.slice(this.#asked.length, portions))
      this.#asked.push(
        // A portion may end at a shorter rung than the others do.
        this.questions.ask(set, this.treatments.slice(0, set.lengths.length), this.label),
      );
  }

  get portions(): number {
    return this.#asked.length;
  }

  get answered(): boolean {
    return this.#asked.every(({ questions }) => questions.every(({ scores }) => scores));
  }

  /** Units of work that the portions up to a share would add. */
  workUpTo(share: keyof Series['upTo']): number {
    const { portions, upTo } = this.series;
    const open = portions.slice(this.#asked.length, upTo[share]);
    return open.reduce((sum, set) => sum + this.workOf(set), 0);
  }

  /** Units of work of one portion. One pass over the longest length also answers shorter ones. */
  workOf(set: ContextSet): number {
    const lengths = new Map<Treatment, number>();
    set.lengths.forEach((length, rung) => {
      const treatment = this.treatments[rung];
      if (treatment) lengths.set(treatment, length);
    });
    return [...lengths.values()].reduce((sum, at) => sum + this.questions.workAt(set, at), 0);
  }

  /** The answers on the portions that are complete; undefined if there are none. */
  measurement(): Measurement | undefined {
    const parts = this.#asked.map((asked) => this.questions.measurement(asked));
    const missing = parts.indexOf(undefined);
    const answered = parts.slice(0, missing < 0 ? undefined : missing) as Measurement[];
    const [first, ...more] = answered;
    return first && more.reduce(join, first);
  }
}

function join(a: Measurement, b: Measurement): Measurement {
  return {
    ...a,
    contexts: [...a.contexts, ...b.contexts],
    // A portion that ends at a shorter rung has no questions beyond it, so any scores may stand
    // there.
    at: a.at.map((scores, rung) => [...scores, ...(b.at[rung] ?? b.at.at(-1)!)]),
  };
}

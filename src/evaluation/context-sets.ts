import { type Context, writeFacts, writeText } from '../probes/contexts.js';
import type { Language } from '../probes/language.js';
import type { Measurement } from '../probes/measure.js';
import { type PresetPlan, probeTokens, questionsPerRung, SHORT_RUNGS } from '../probes/presets.js';
import { lastWindow, squeezed, stretched, upToRung } from '../probes/reshape.js';
import { resamples } from '../probes/statistics.js';
import type { ContextSet, JobList } from './jobs.js';
import type { Measured } from './summary.js';
import type { Rotation } from './tables.js';

/** The sets of contexts; every scaling is run on the first four, the reference on the last too. */
export interface Sets {
  readonly short: ContextSet;
  readonly shortText: ContextSet;
  readonly long: ContextSet;
  readonly longText: ContextSet;
  /** The long text's rungs, each cut to one trained window: context * rungs + rung. */
  readonly windows: ContextSet;
  /** One window of tokens, the target's distances. */
  readonly stretched: ContextSet;
  /** The target's tokens, one window of distances. */
  readonly squeezed: ContextSet;
}

/** Each set draws from a stream of its own, so that a bigger preset only adds contexts. */
export const STREAM = Object.freeze({
  short: 1,
  shortText: 2,
  long: 3,
  longText: 4,
  apart: 5,
  switchFacts: 8,
  switchText: 9,
});

/** Contexts of one stream, from the `from`-th on. */
export function drawContexts(
  seed: number,
  stream: number,
  count: number,
  write: (seed: number, index: number) => Context,
  from = 0,
): Context[] {
  return Array.from({ length: count }, (_, i) => write(seed * 16 + stream, from + i));
}

/** Writes facts that are asked at every rung of a ladder. */
export function longFacts(
  language: Language,
  rungs: readonly number[],
): (seed: number, index: number) => Context {
  const questions = questionsPerRung(rungs.length, language.tokens.symbol[1]);
  const plan = { language, rungs, questionsPerRung: questions, copies: false };
  return (seed, index) => writeFacts(plan, seed, index);
}

/**
 * @param multiples the ladder, as window multiples
 * @param window the probe model's trained window, tokens
 * @param target window multiple that stretched and squeezed stand for
 */
export function contextSets(
  language: Language,
  window: number,
  multiples: readonly number[],
  plan: PresetPlan,
  seed: number,
  target: number,
): Sets {
  const shortRungs = SHORT_RUNGS.map((m) => probeTokens(m, window));
  const longRungs = multiples.map((m) => probeTokens(m, window));
  const targetTokens = probeTokens(target, window);
  const many = (count: number, stream: number, write: (seed: number, i: number) => Context) =>
    drawContexts(seed, stream, count, write);
  const facts = (rungs: number[], questionsPerRung: number, copies: boolean) => {
    const plan = { language, rungs, questionsPerRung, copies };
    return (s: number, i: number) => writeFacts(plan, s, i);
  };
  const text = (rungs: number[], span: number) => (s: number, i: number) =>
    writeText({ language, rungs, span }, s, i);
  const longText = many(plan.longText, STREAM.longText, text(longRungs, window / 2));
  return {
    short: {
      name: 'short',
      lengths: shortRungs,
      contexts: many(plan.short, STREAM.short, facts(shortRungs, 6, true)),
    },
    shortText: {
      name: 'short-text',
      lengths: shortRungs,
      contexts: many(plan.shortText, STREAM.shortText, text(shortRungs, window / 2)),
    },
    long: {
      name: 'long',
      lengths: longRungs,
      contexts: many(plan.long, STREAM.long, longFacts(language, longRungs)),
    },
    longText: {
      name: 'long-text',
      lengths: longRungs,
      contexts: longText,
    },
    windows: {
      name: 'windows',
      lengths: [window],
      contexts: longText.flatMap((c) => longRungs.map((end, r) => lastWindow(c, r, end, window))),
    },
    stretched: {
      name: 'stretched',
      lengths: [window],
      contexts: many(plan.apart, STREAM.apart, (s, i) =>
        stretched(facts([window], 6, false)(s, i), target),
      ),
    },
    squeezed: {
      name: 'squeezed',
      lengths: [targetTokens],
      contexts: many(plan.apart, STREAM.apart, (s, i) =>
        squeezed(facts([targetTokens], 6, false)(s, i), window),
      ),
    },
  };
}

/**
 * Contexts of facts beyond the preset's own, for scalings whose verdict those leave open: drawn from
 * the same stream, so that a scaling is judged on the contexts that a bigger preset gives to all.
 * They end at the target, which is what the verdict is about.
 */
export class FurtherContexts {
  readonly #rounds: ContextSet[] = [];
  /** Rungs of the ladder that do not pass the target. */
  readonly #rungs: number;

  /**
   * @param own the preset's contexts on the ladder
   * @param target in probe tokens: a rung of the ladder
   * @param most contexts that a scaling gets in all
   */
  constructor(
    private readonly language: Language,
    private readonly own: ContextSet,
    target: number,
    private readonly most: number,
    private readonly seed: number,
  ) {
    this.#rungs = own.lengths.filter((tokens) => tokens <= target).length;
  }

  /** Twice as many contexts as so far; undefined: a scaling has had them all. */
  #next(): ContextSet | undefined {
    const sofar = [this.own, ...this.#rounds].reduce((sum, set) => sum + set.contexts.length, 0);
    if (sofar >= this.most) return undefined;
    const { lengths } = this.own;
    const last = this.#rungs - 1;
    const write = longFacts(this.language, lengths);
    const count = Math.min(sofar, this.most - sofar);
    const set: ContextSet = {
      name: `long from ${sofar}`,
      lengths: lengths.slice(0, this.#rungs),
      contexts: drawContexts(this.seed, STREAM.long, count, write, sofar).map((context) =>
        upToRung(context, last, lengths[last]!),
      ),
    };
    this.#rounds.push(set);
    return set;
  }

  /**
   * Asks for the next contexts.
   *
   * @param open (scalings) tables on the ladder
   * @returns false where nothing is open, or all contexts were given
   */
  ask(
    jobs: JobList,
    open: readonly { readonly label: string; readonly long: readonly Rotation[] }[],
  ): boolean {
    const set = open.length > 0 ? this.#next() : undefined;
    if (!set) return false;
    for (const { label, long } of open) jobs.add(set, long.slice(0, this.#rungs), label);
    return true;
  }

  /** A scaling on the preset's contexts, with all further ones that it was run on. */
  join(measured: Measured, jobs: JobList, tables: readonly Rotation[]): Measured {
    const measurement = this.measurement(measured.measurement, jobs, tables);
    const { contexts } = measurement;
    if (contexts.length === measured.measurement.contexts.length) return measured;
    return {
      ...measured,
      measurement,
      set: { ...measured.set, contexts },
      draws: resamples(contexts.length, this.seed),
    };
  }

  /** @param own on the preset's contexts */
  measurement(own: Measurement, jobs: JobList, tables: readonly Rotation[]): Measurement {
    let measurement = own;
    for (const set of this.#rounds) {
      const more = jobs.measurement(set, tables.slice(0, this.#rungs));
      if (!more) break;
      measurement = {
        contexts: [...measurement.contexts, ...more.contexts],
        // Beyond the target they have nothing to score, so any scores will do there.
        at: measurement.at.map((scores, r) => [...scores, ...(more.at[r] ?? more.at.at(-1)!)]),
      };
    }
    return measurement;
  }
}

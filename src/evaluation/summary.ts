import {
  accuracyByDistance,
  type Cell,
  clusters,
  DISTANCE_BINS,
  type Measurement,
  type Quantity,
} from '../probes/measure.js';
import { reach } from '../probes/reach.js';
import {
  average,
  type Cluster,
  type Interval,
  intervalOf,
  mean,
  meanInterval,
  pairedDifference,
  runningMaximum,
  wilson,
} from '../probes/statistics.js';
import type { Needle, Reach, Short } from '../report/schema/report.js';
import type { ContextSet } from './jobs.js';

export interface Rung {
  readonly multiple: number;
  readonly tokens: number;
}

/** One set of contexts and what the reference made of it: all changes are against that. */
export interface Comparison {
  readonly set: ContextSet;
  readonly rungs: readonly Rung[];
  /** Index of the rung at 1x, where the reference stands. */
  readonly home: number;
  readonly draws: readonly (readonly number[])[];
  readonly reference: Measurement;
}

/** A candidate on a set. */
export interface Measured extends Comparison {
  readonly measurement: Measurement;
}

/**
 * (rungs, contexts) the reference's loss on the same text with one trained window before it.
 *
 * @param windows its measurement on `Sets.windows`
 */
export function windowedLoss(windows: Measurement, rungs: number): Cluster[][] {
  const flat = clusters(windows, { kind: 'language', rungs: [0] }, 'loss');
  return Array.from({ length: rungs }, (_, r) => flat.filter((_, i) => i % rungs === r));
}

/** A candidate on the long text. */
export interface TextMeasured extends Measured {
  readonly windowed: readonly (readonly Cluster[])[];
}

const all = (rungs: readonly unknown[]): number[] => rungs.map((_, i) => i);

function own(m: Measured, cell: Cell, quantity: Quantity): Cluster[] {
  return clusters(m.measurement, cell, quantity);
}

function base(m: Comparison, cell: Cell, quantity: Quantity): Cluster[] {
  return clusters(m.reference, cell, quantity);
}

function change(m: Measured, cell: Cell, quantity: Quantity): Interval {
  const limit = quantity === 'accuracy' ? 1 : Infinity;
  return pairedDifference(own(m, cell, quantity), base(m, cell, quantity), m.draws, limit);
}

const sum = (list: readonly Cluster[], key: keyof Cluster): number =>
  list.reduce((a, x) => a + x[key], 0);

/** Short-context figures: candidate - reference on the same contexts. */
export function summariseShort(facts: Measured, text: Measured): Short {
  const rungs = all(facts.rungs);
  const known = own(facts, { kind: 'fact', rungs }, 'accuracy');
  const copies = own(facts, { kind: 'copy', rungs }, 'accuracy');
  const words = own(text, { kind: 'language', rungs }, 'loss');
  return {
    accuracyChange: change(facts, { kind: 'fact', rungs }, 'accuracy'),
    lossChange: change(text, { kind: 'language', rungs }, 'loss'),
    copyAccuracyChange: change(facts, { kind: 'copy', rungs }, 'accuracy'),
    copyLossChange: change(facts, { kind: 'copy', rungs }, 'loss'),
    byLength: facts.rungs.map((rung, r) => ({
      ...rung,
      accuracy: wilson(own(facts, { kind: 'fact', rungs: [r] }, 'accuracy')),
      factLoss: average(own(facts, { kind: 'fact', rungs: [r] }, 'loss')),
      languageLoss: average(own(text, { kind: 'language', rungs: [r] }, 'loss')),
      copyAccuracy: average(own(facts, { kind: 'copy', rungs: [r] }, 'accuracy')),
      accuracyChange: change(facts, { kind: 'fact', rungs: [r] }, 'accuracy'),
      lossChange: change(text, { kind: 'language', rungs: [r] }, 'loss'),
    })),
    counts: {
      contexts: facts.measurement.contexts.length,
      textContexts: text.measurement.contexts.length,
      facts: sum(known, 'count'),
      factsCorrect: sum(known, 'sum'),
      languageTokens: sum(words, 'count'),
      copyTokens: sum(copies, 'count'),
      copyCorrect: sum(copies, 'sum'),
    },
  };
}

/** One entry per rung of the ladder. */
export function summariseNeedle(facts: Measured, text: TextMeasured): Needle[] {
  const atOnce = average(base(facts, { kind: 'fact', rungs: [facts.home] }, 'accuracy'));
  return facts.rungs.map((rung, r) => {
    const cell: Cell = { kind: 'fact', rungs: [r] };
    const known = own(facts, cell, 'accuracy');
    const words = own(text, { kind: 'language', rungs: [r] }, 'loss');
    const accuracy = wilson(known);
    return {
      ...rung,
      accuracy,
      relative: atOnce > 0 ? accuracy.value / atOnce : 0,
      loss: meanInterval(own(facts, cell, 'loss'), facts.draws),
      languageLoss: meanInterval(words, text.draws),
      lossChange: pairedDifference(words, text.windowed[r]!, text.draws),
      correct: sum(known, 'sum'),
      total: sum(known, 'count'),
      byDistance: DISTANCE_BINS.map((distance) => {
        const bin = own(facts, { ...cell, distance }, 'accuracy');
        const [from, to] = distance;
        return { from, to: Math.min(1, to), correct: sum(bin, 'sum'), total: sum(bin, 'count') };
      }),
    };
  });
}

/** How far the candidate holds from 1x on, with its interval over contexts. */
export function summariseReach(facts: Measured): Reach {
  const beyond = facts.rungs.slice(facts.home);
  const rungs = all(facts.rungs).slice(facts.home);
  const bins = accuracyByDistance(facts.measurement, rungs);
  const atOnce = base(facts, { kind: 'fact', rungs: [facts.home] }, 'accuracy');
  const found = reach(bins, average(atOnce), facts.draws);
  const at = (rung: number): Rung => beyond[rung] ?? { multiple: 0, tokens: 0 };
  return {
    ...at(found.rung),
    low: at(found.low).multiple,
    high: at(found.high).multiple,
    censored: found.rung === beyond.length - 1,
  };
}

/**
 * Facts' loss of one measurement minus the reference's at 1x; other contexts, so both sides are
 * drawn anew in every resample.
 *
 * @param m the candidate in the long, the stretched or the squeezed contexts
 */
export function factLossAgainst(
  m: Measured,
  rung: number,
  atHome: readonly Cluster[],
  homeDraws: readonly (readonly number[])[],
): Interval {
  const cell = own(m, { kind: 'fact', rungs: [rung] }, 'loss');
  const every = (list: readonly Cluster[]): number[] => all(list);
  const whole = mean(cell, every(cell)) - mean(atHome, every(atHome));
  const drawn = m.draws.map((own, i) => mean(cell, own) - mean(atHome, homeDraws[i]!));
  return intervalOf(whole, drawn, m.set.contexts.length);
}

/** The reference's facts at 1x, which every loss of facts is measured against. */
export function homeFacts(m: Comparison): Cluster[] {
  return base(m, { kind: 'fact', rungs: [m.home] }, 'loss');
}

export interface Score {
  /** Nats, lower is better: the sum of the two parts. */
  readonly value: number;
  /** What the probe lost: mean over the rungs from 1x to the target. */
  readonly loss: number;
  /** What leaving the trained angles adds: mean of `outOfRangeByRung` over the same rungs. */
  readonly outOfRange: number;
  /** (resamples) the score on each draw of contexts, for paired comparisons. */
  readonly draws: Float64Array;
  /** How many contexts were drawn from. */
  readonly contexts: number;
}

/**
 * The score that ranks candidates: a mean over the rungs from 1x to the target. The language leans on
 * what stands far back, so that a scaling which loses that pays here.
 *
 * At each rung the probe's part is language loss - the reference's on the same text within its
 * window. A probe that is lost has little more to lose, and even recovers in longer contexts, where
 * real models get worse with every token (docs/validation.md, "Real text"). So what it was at a
 * shorter rung counts on if that is more, and what leaves the trained range is added.
 *
 * @param outOfRange (rungs of the text) `outOfRangeByRung`
 * @param counted the rungs that count, ascending: those of the ladder from 1x to the target, not the
 *   lengths that somebody asked for besides
 */
export function score(
  text: TextMeasured,
  outOfRange: readonly number[],
  counted: readonly number[],
): Score {
  const loss = (m: Measurement, rung: number): Cluster[] =>
    clusters(m, { kind: 'language', rungs: [rung] }, 'loss');
  const rungs = counted.map((rung) => ({
    words: loss(text.measurement, rung),
    windowed: text.windowed[rung]!,
  }));
  const measured = (draw: readonly number[]): number =>
    averageOf(runningMaximum(rungs.map((r) => mean(r.words, draw) - mean(r.windowed, draw))));
  const whole = measured(text.measurement.contexts.map((_, i) => i));
  const range = averageOf(counted.map((rung) => outOfRange[rung]!));
  return {
    value: whole + range,
    loss: whole,
    outOfRange: range,
    contexts: text.set.contexts.length,
    draws: Float64Array.from(text.draws, (draw) => measured(draw) + range),
  };
}

function averageOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Whether two scores cannot be told apart: the paired difference's 95 % interval holds 0. */
export function tied(a: Score, b: Score): boolean {
  const differences = Array.from(a.draws, (x, i) => x - b.draws[i]!);
  const { low, high } = intervalOf(a.value - b.value, differences, a.contexts);
  return low <= 0 && high >= 0;
}

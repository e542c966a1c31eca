import {
  accuracyByDistance,
  average,
  type Cluster,
  clusters,
  DISTANCE_BINS,
  expectedReach,
  type Interval,
  intervalOf,
  lastInRange,
  lastRung,
  lastWithinLoss,
  mean,
  meanInterval,
  meanOf,
  type Measurement,
  pairedDifference,
  type Quantity,
  reach,
  runningMaximum,
  type TokenSelection,
  wilson,
} from '../probes/measure.js';
import type { Needle, Short, Verdict } from '../report/schema/candidate.js';
import type { CandidateReach, Length, Reach } from '../report/schema/values.js';

/** One set of contexts with the reference's answers, which all changes are relative to. */
export interface Comparison {
  readonly rungs: readonly Length[];
  /** Index of the rung at 1x. */
  readonly home: number;
  readonly draws: readonly (readonly number[])[];
  readonly reference: Measurement;
}

/** A variant's answers on a set. */
export interface Measured extends Comparison {
  readonly measurement: Measurement;
}

/** A variant's answers on the ladder's text. */
export interface TextMeasured extends Measured {
  /** (rungs, contexts) the result of `windowedLoss`. */
  readonly windowed: readonly (readonly Cluster[])[];
}

/**
 * (rungs, contexts) the reference's loss on the ladder's text if it sees only one trained window of
 * it.
 *
 * @param windows the reference's answers on `ContextSets.windows`
 */
export function windowedLoss(windows: Measurement, rungs: number): Cluster[][] {
  const flat = clusters(windows, { kind: 'language', rungs: [0] }, 'loss');
  return Array.from({ length: rungs }, (_, r) => flat.filter((_, i) => i % rungs === r));
}

const indices = (list: readonly unknown[]): number[] => list.map((_, i) => i);

const sum = (list: readonly Cluster[], key: keyof Cluster): number =>
  list.reduce((a, x) => a + x[key], 0);

/** Variant - reference, on the same contexts. */
function change(m: Measured, cell: TokenSelection, quantity: Quantity): Interval {
  const limit = quantity === 'accuracy' ? 1 : Infinity;
  return pairedDifference(
    clusters(m.measurement, cell, quantity),
    clusters(m.reference, cell, quantity),
    m.draws,
    limit,
  );
}

/** Summarizes short contexts: variant - reference, on the same contexts. */
export function summariseShort(facts: Measured, text: Measured): Short {
  const rungs = indices(facts.rungs);
  const known = clusters(facts.measurement, { kind: 'fact', rungs }, 'accuracy');
  const copies = clusters(facts.measurement, { kind: 'copy', rungs }, 'accuracy');
  const words = clusters(text.measurement, { kind: 'language', rungs }, 'loss');
  const at = (
    m: Measured,
    kind: TokenSelection['kind'],
    rung: number,
    quantity: Quantity,
  ): Cluster[] => clusters(m.measurement, { kind, rungs: [rung] }, quantity);
  return {
    accuracyChange: change(facts, { kind: 'fact', rungs }, 'accuracy'),
    lossChange: change(text, { kind: 'language', rungs }, 'loss'),
    copyAccuracyChange: change(facts, { kind: 'copy', rungs }, 'accuracy'),
    copyLossChange: change(facts, { kind: 'copy', rungs }, 'loss'),
    byLength: facts.rungs.map((rung, r) => ({
      ...rung,
      accuracy: wilson(at(facts, 'fact', r, 'accuracy')),
      factLoss: average(at(facts, 'fact', r, 'loss')),
      languageLoss: average(at(text, 'language', r, 'loss')),
      copyAccuracy: average(at(facts, 'copy', r, 'accuracy')),
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

/** The reference's facts at 1x, which every loss of facts is relative to. */
export function factsAtHome({ reference, home }: Comparison, quantity: Quantity): Cluster[] {
  return clusters(reference, { kind: 'fact', rungs: [home] }, quantity);
}

/** Summarizes the needle, with one entry per rung of the ladder. */
export function summariseNeedle(facts: Measured, text: TextMeasured): Needle[] {
  const atHome = average(factsAtHome(facts, 'accuracy'));
  return facts.rungs.map((rung, r) => {
    const cell: TokenSelection = { kind: 'fact', rungs: [r] };
    const known = clusters(facts.measurement, cell, 'accuracy');
    const words = clusters(text.measurement, { kind: 'language', rungs: [r] }, 'loss');
    const accuracy = wilson(known);
    const lost = clusters(facts.measurement, cell, 'loss');
    return {
      ...rung,
      accuracy,
      relative: atHome > 0 ? accuracy.value / atHome : 0,
      loss: meanInterval(lost, drawsOf(lost, facts.draws)),
      languageLoss: meanInterval(words, text.draws),
      lossChange: pairedDifference(words, text.windowed[r]!, text.draws),
      correct: sum(known, 'sum'),
      total: sum(known, 'count'),
      byDistance: DISTANCE_BINS.map((distance) => {
        const bin = clusters(facts.measurement, { ...cell, distance }, 'accuracy');
        const [from, to] = distance;
        return { from, to: Math.min(1, to), correct: sum(bin, 'sum'), total: sum(bin, 'count') };
      }),
    };
  });
}

/** Drops resamples that contain only contexts ending at the target, which have no longer rungs. */
function drawsOf(cell: readonly Cluster[], draws: Comparison['draws']): Comparison['draws'] {
  if (cell.every(({ count }) => count > 0)) return draws;
  return draws.filter((draw) => draw.some((context) => cell[context]!.count > 0));
}

/** Computes the reach: the longest rung from 1x on that holds, with an interval over contexts. */
export function summariseReach(facts: Measured): Reach {
  const beyond = facts.rungs.slice(facts.home);
  const bins = accuracyByDistance(facts.measurement, indices(facts.rungs).slice(facts.home));
  const found = reach(bins, average(factsAtHome(facts, 'accuracy')), facts.draws);
  const at = (rung: number): Length => beyond[rung] ?? { multiple: 0, tokens: 0 };
  return {
    ...at(found.rung),
    low: at(found.low).multiple,
    high: at(found.high).multiple,
    censored: found.rung === beyond.length - 1,
  };
}

/**
 * Estimates where the reach of a real model lies: from the reach of the facts, the losses on the
 * same ladder, and the exact angles.
 *
 * @param excess (rungs) mean ln excess over the trained angles
 * @returns undefined if nothing holds at 1x
 */
export function expectReach(
  { multiple }: Reach,
  needle: readonly Needle[],
  excess: readonly number[],
): CandidateReach['expected'] {
  const home = needle.findIndex((rung) => rung.multiple === 1);
  if (multiple === 0 || home < 0) return undefined;
  const beyond = needle.slice(home);
  const end = beyond.at(-1)!.multiple;
  const loss = beyond[lastWithinLoss(beyond.map((rung) => rung.lossChange.value))]!.multiple;
  const inRange = beyond[lastInRange(excess.slice(home))]!.multiple;
  const angles = inRange === end ? undefined : inRange;
  const { low, high } = expectedReach({ facts: multiple, loss, angles });
  return { low, high: Math.min(multiple, loss) === end ? null : high };
}

/** The reference's facts at 1x, and the draws of their contexts. */
export interface Home {
  readonly facts: readonly Cluster[];
  readonly draws: readonly (readonly number[])[];
}

/**
 * Loss of a variant's facts minus the reference's at 1x. The two are on different contexts, so each
 * resample draws both sides separately.
 *
 * @param m the variant on the ladder, or in the stretched or squeezed contexts
 */
export function factLossAgainst(m: Measured, rung: number, home: Home): Interval {
  const cell = clusters(m.measurement, { kind: 'fact', rungs: [rung] }, 'loss');
  const whole = mean(cell, indices(cell)) - mean(home.facts, indices(home.facts));
  const drawn = m.draws.map((own, i) => mean(cell, own) - mean(home.facts, home.draws[i]!));
  return intervalOf(whole, drawn, cell.length);
}

/** The score of a variant, with its parts. */
export interface Score {
  /** Nats; lower is better. The sum of the two parts below. */
  readonly value: number;
  /** What the subject lost: a mean over the rungs from 1x to the target. */
  readonly loss: number;
  /** What leaving the trained angles adds: a mean of `outOfRangeByRung` over the same rungs. */
  readonly outOfRange: number;
  /** (resamples) the score on each resample of the contexts, for paired comparisons. */
  readonly draws: Float64Array;
  /** The number of contexts behind the resamples. */
  readonly contexts: number;
}

/**
 * Computes the score that ranks candidates: a mean over the rungs from 1x to the target. The text
 * depends on what stands far back, so a scaling that loses distant tokens pays for it here.
 *
 * At each rung the probe's part is its language loss minus the reference's on the same text within
 * one window. A probe that fails has little more to lose, and even recovers in longer contexts,
 * where real models get worse with every token (docs/validation.md, "Real text"). So the part of a
 * rung is never less than that of a shorter rung, and a cost of leaving the trained angles is
 * added.
 *
 * @param outOfRange (rungs of the text) `outOfRangeByRung`
 * @param counted the rungs that count, ascending: those of the ladder from 1x to the target,
 *   without lengths that the user added
 */
export function score(
  text: TextMeasured,
  outOfRange: readonly number[],
  counted: readonly number[],
): Score {
  const rungs = counted.map((rung) => ({
    words: clusters(text.measurement, { kind: 'language', rungs: [rung] }, 'loss'),
    windowed: text.windowed[rung]!,
  }));
  const lost = (draw: readonly number[]): number =>
    meanOf(runningMaximum(rungs.map((r) => mean(r.words, draw) - mean(r.windowed, draw))));
  const { contexts } = text.measurement;
  const loss = lost(indices(contexts));
  const range = meanOf(counted.map((rung) => outOfRange[rung]!));
  return {
    value: loss + range,
    loss,
    outOfRange: range,
    contexts: contexts.length,
    draws: Float64Array.from(text.draws, (draw) => lost(draw) + range),
  };
}

/** Whether the 95 % interval of the paired difference of two scores contains 0. */
export function tied(a: Score, b: Score): boolean {
  // One context does not show how much contexts differ.
  if (a.contexts < 2) return true;
  const differences = Array.from(a.draws, (x, i) => x - b.draws[i]!);
  const { low, high } = intervalOf(a.value - b.value, differences, a.contexts);
  return low <= 0 && high >= 0;
}

/** Losses that the verdict tolerates at lengths that the model already handled (docs/report.md). */
export const SHORT_LIMITS = Object.freeze({
  /** Nats of next-token loss: 0.05 is about 5 % of perplexity. */
  lossChange: 0.05,
  /** Share of facts. */
  accuracyChange: -0.05,
});

export const QUANTITIES: readonly Quantity[] = Object.freeze(['accuracy', 'loss']);

/** Whether a difference is significant and as large as what the verdict counts as a cost. */
export function matters({ value, low, high }: Interval, quantity: Quantity): boolean {
  const limit =
    quantity === 'accuracy' ? Math.abs(SHORT_LIMITS.accuracyChange) : SHORT_LIMITS.lossChange;
  return (low > 0 || high < 0) && Math.abs(value) > limit;
}

/** Whether more contexts could decide if a scaling reaches the target. */
export function isOpen(reach: Reach, target: number): boolean {
  return reach.multiple > 0 && reach.low < target && reach.high >= target;
}

/** Whether the reference finds facts at every distance of its window. Reach is relative to them. */
function findsFacts(comparison: Comparison): boolean {
  const { reference, home } = comparison;
  const base = average(factsAtHome(comparison, 'accuracy'));
  return lastRung(accuracyByDistance(reference, [home]), base, indices(reference.contexts)) === 0;
}

/**
 * Decides the verdict.
 *
 * @param facts of the variant, with those of the reference
 * @param short one for each layer group; the worst counts
 */
export function verdict(
  facts: Measured,
  reach: Reach,
  short: readonly Short[],
  target: number,
): Verdict {
  // If the reference finds no facts within its window, a scaling that finds none has lost nothing.
  if (reach.multiple === 0) return findsFacts(facts) ? 'fails-short' : 'unclear';
  if (reach.high < target) return 'falls-short';
  if (isOpen(reach, target)) return 'unclear';
  const costs = short.some(
    (s) =>
      s.lossChange.value > SHORT_LIMITS.lossChange ||
      s.accuracyChange.value < SHORT_LIMITS.accuracyChange,
  );
  return costs ? 'reaches-at-a-cost' : 'reaches';
}

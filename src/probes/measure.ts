import { RopeEvalError } from '../errors.js';
import type { Context, Kind } from './contexts.js';
import { Random } from './random.js';

/** What the engine said of one context's scored tokens, in the order of `Context.items`. */
export interface ContextScores {
  readonly logProbability: Float32Array;
  readonly correct: Uint8Array;
}

/** Scores of one scaling on a set of contexts, per rung: a scaling may depend on the length. */
export interface Measurement {
  readonly contexts: readonly Context[];
  /** (rung) → one entry per context. */
  readonly at: readonly (readonly ContextScores[])[];
  /** Nats of LLaMA 7B that one nat of the language's loss stands for; 1: measured on the user's weights. */
  readonly lossScale: number;
}

export type Quantity = 'accuracy' | 'loss';

export interface Cell {
  readonly kind: Kind;
  readonly rungs: readonly number[];
  /** Facts: share of the rung's length, [from, to). */
  readonly distance?: readonly [number, number];
}

/**
 * Sums of one cell by context. Loss is in nats above what the source itself needs, so that hard
 * and easy passages of text compare; that of the language times `lossScale`.
 */
export function clusters(measurement: Measurement, cell: Cell, quantity: Quantity): Cluster[] {
  const sums = sumsByContext(measurement, cell, quantity);
  if (quantity !== 'loss' || cell.kind !== 'language') return sums;
  return sums.map(({ sum, count }) => ({ sum: measurement.lossScale * sum, count }));
}

/** The same in the nats of the subject's own language. */
function sumsByContext(measurement: Measurement, cell: Cell, quantity: Quantity): Cluster[] {
  return measurement.contexts.map((context, c) => {
    let sum = 0;
    let count = 0;
    context.items.forEach((item, i) => {
      if (item.kind !== cell.kind || !cell.rungs.includes(item.rung)) return;
      if (cell.distance) {
        if (item.share < cell.distance[0] || item.share >= cell.distance[1]) return;
      }
      const scores = measurement.at[item.rung]?.[c];
      // What was not scored is NaN, which no statistic takes for a value.
      sum +=
        quantity === 'accuracy'
          ? (scores?.correct[i] ?? NaN)
          : -(scores?.logProbability[i] ?? NaN) - item.surprise;
      count++;
    });
    return { sum, count };
  });
}

/** Equal shares of a rung's length by which facts are binned, nearest first. */
export const DISTANCE_BINS: readonly (readonly [number, number])[] = Object.freeze(
  // Where one ends the next begins, to the last bit: 0.4 + 0.2 is not 0.6.
  [0, 0.2, 0.4, 0.6, 0.8].map((from, i, all) => [from, all[i + 1] ?? 1.01] as const),
);

/** (rungs, bins) accuracy by distance: what reach is judged by. */
export function accuracyByDistance(
  measurement: Measurement,
  rungs: readonly number[],
): Cluster[][][] {
  return rungs.map((rung) =>
    DISTANCE_BINS.map((distance) =>
      clusters(measurement, { kind: 'fact', rungs: [rung], distance }, 'accuracy'),
    ),
  );
}

/** A value with its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One context's contribution: facts in one context are correlated, so the context is the unit. */
export interface Cluster {
  readonly sum: number;
  readonly count: number;
}

const Z = 1.959964; // two-sided 95 %
const RESAMPLES = 1000;

/**
 * A statistic that is no number is no measurement: a mean of no answers, or of what an engine answered
 * with NaN. It must not pass as a 0, a rank or a verdict, so everything here refuses it.
 *
 * @throws RopeEvalError `not_measured` (exit 3)
 */
function measured(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new RopeEvalError('not_measured', {
    problem: 'nothing was measured: no scored token, or an answer that is no number',
  });
}

function total(clusters: readonly Cluster[]): Cluster {
  return clusters.reduce((a, c) => ({ sum: a.sum + c.sum, count: a.count + c.count }), {
    sum: 0,
    count: 0,
  });
}

/**
 * Wilson score interval of a share on the effective sample: the sample size is divided by the
 * design effect, the variance between contexts over the variance that independent answers would
 * have (Wilson 1927; Kish 1965).
 *
 * @throws RopeEvalError `not_measured` where there is no answer
 */
export function wilson(clusters: readonly Cluster[]): Interval {
  const { sum, count } = total(clusters);
  const p = measured(sum / count);
  const between = clusters.reduce((a, c) => a + (c.sum - p * c.count) ** 2, 0);
  const independent = p * (1 - p) * count;
  const designEffect = independent > 0 ? Math.max(1, between / independent) : 1;
  const n = count / designEffect;
  const z2 = Z * Z;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return {
    value: p,
    low: Math.max(0, Math.min(p, centre - half)),
    high: Math.min(1, Math.max(p, centre + half)),
  };
}

/** Quantile of sorted values, linear between neighbours. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low]!;
  return a + (at - low) * ((sorted[low + 1] ?? a) - a);
}

/** Seeded resamples of `size` contexts with replacement, each as a list of indices. */
export function resamples(size: number, seed: number, count = RESAMPLES): number[][] {
  const random = Random.stream(seed, size);
  return Array.from({ length: count }, () =>
    Array.from({ length: size }, () => random.below(size)),
  );
}

/**
 * Percentile bootstrap over contexts (Efron 1979) of a mean, or a difference of means, of the drawn
 * contexts; widened for few of them (see `intervalOf`).
 *
 * @param draws from `resamples`; the same draws for every candidate keep comparisons paired
 */
export function bootstrap(
  statistic: (contexts: readonly number[]) => number,
  size: number,
  draws: readonly (readonly number[])[],
): Interval {
  const value = statistic(Array.from({ length: size }, (_, i) => i));
  return intervalOf(value, draws.map(statistic), size);
}

/**
 * 95 % interval of a mean from its resamples. Resamples of few contexts spread too little, by
 * sqrt((n - 1) / n), and like a normal variable where the mean's error is Student's: of six contexts
 * the plain percentiles held the truth in 85 % of cases.
 *
 * @param contexts how many were drawn from
 */
export function intervalOf(value: number, drawn: readonly number[], contexts: number): Interval {
  const { low, high } = percentiles(value, drawn);
  const wider = widening(contexts);
  return { value, low: value - wider * (value - low), high: value + wider * (high - value) };
}

/** The plain percentiles, and the value itself. */
export function percentiles(value: number, drawn: readonly number[]): Interval {
  measured(value);
  drawn.forEach(measured);
  const all = drawn.toSorted((a, b) => a - b);
  const [low, high] = [measured(quantile(all, 0.025)), measured(quantile(all, 0.975))];
  return { value, low: Math.min(low, value), high: Math.max(high, value) };
}

/** Student's 97.5 % quantile (Abramowitz & Stegun 26.7.5) over the normal one, and the missing spread. */
function widening(contexts: number): number {
  const f = contexts - 1;
  if (f < 1) return 1;
  const z = Z;
  const t =
    z +
    (z ** 3 + z) / (4 * f) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * f ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * f ** 3);
  return (t / z) * Math.sqrt(contexts / f);
}

/** Ratio of all sums: the mean per answer. */
export function average(clusters: readonly Cluster[]): number {
  const { sum, count } = total(clusters);
  return measured(sum / count);
}

/** Ratio of sums over the drawn contexts: the mean per answer. */
export function mean(clusters: readonly Cluster[], contexts: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const i of contexts) {
    sum += clusters[i]!.sum;
    count += clusters[i]!.count;
  }
  return measured(sum / count);
}

/**
 * Mean of `a` minus mean of `b` on the same contexts, with its interval.
 *
 * @param limit what no difference can exceed: 1 for shares
 */
export function pairedDifference(
  a: readonly Cluster[],
  b: readonly Cluster[],
  draws: readonly (readonly number[])[],
  limit = Infinity,
): Interval {
  const difference = (contexts: readonly number[]): number => mean(a, contexts) - mean(b, contexts);
  const { value, low, high } = bootstrap(difference, a.length, draws);
  return { value, low: Math.max(-limit, low), high: Math.min(limit, high) };
}

/** Mean of one measurement, with its interval. */
export function meanInterval(
  clusters: readonly Cluster[],
  draws: readonly (readonly number[])[],
): Interval {
  return bootstrap((contexts) => mean(clusters, contexts), clusters.length, draws);
}

/** (n) each value, or the largest before it. */
export function runningMaximum(values: readonly number[]): number[] {
  let most = -Infinity;
  return values.map((value) => (most = Math.max(most, value)));
}

/** Mean of plain values. */
export function meanOf(values: readonly number[]): number {
  return measured(values.reduce((a, b) => a + b, 0) / values.length);
}

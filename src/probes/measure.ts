import { RopeEvalError } from '../errors.js';
import type { Context, Kind } from './contexts.js';
import { Random } from './random.js';

/** (rungs, distance bins, contexts) the facts found, from 1x on. */
export type BinnedFacts = readonly (readonly (readonly Cluster[])[])[];

/** How far a scaling holds, by facts. */
interface ReachResult {
  /** The index of the last rung that holds, without a gap from 1x on; -1: none. */
  readonly rung: number;
  /** The 95 % interval over contexts, as rung indices; -1: none. */
  readonly low: number;
  readonly high: number;
}

/**
 * Returns the last rung, without a gap from the first on, at which every distance bin keeps at
 * least half of the reference's accuracy at 1x; -1: none.
 *
 * @param bins the candidate's facts
 * @param base the reference's accuracy at 1x; a fixed yardstick, whose own uncertainty is ignored
 * @param contexts drawn contexts
 */
export function lastRung(bins: BinnedFacts, base: number, contexts: readonly number[]): number {
  // A reference that finds nothing cannot be a yardstick, because everything holds half of nothing.
  if (!(base > 0)) return -1;
  const enough = base / 2;
  return lastWhere(
    bins,
    // A resample may leave a bin empty, which tells nothing about it.
    (bin) => !asked(bin, contexts) || mean(bin, contexts) >= enough,
  );
}

function asked(bin: readonly Cluster[], contexts: readonly number[]): boolean {
  return contexts.some((c) => bin[c]!.count > 0);
}

function lastWhere(bins: BinnedFacts, holds: (bin: readonly Cluster[]) => boolean): number {
  const failing = bins.findIndex((rung) => !rung.every(holds));
  return (failing < 0 ? bins.length : failing) - 1;
}

/**
 * Computes reach with its interval. It is the bootstrap's over contexts, widened to every rung that
 * Wilson's intervals of its bins still allow. If a few contexts agree, their resamples agree too,
 * and the bootstrap alone would call that certain.
 */
export function reach(
  bins: BinnedFacts,
  base: number,
  draws: readonly (readonly number[])[],
): ReachResult {
  const all = (bins[0]?.[0] ?? []).map((_, c) => c);
  const { value, low, high } = percentiles(
    lastRung(bins, base, all),
    draws.map((contexts) => lastRung(bins, base, contexts)),
  );
  if (!(base > 0)) return { rung: -1, low: -1, high: bins.length - 1 };
  const enough = base / 2;
  return {
    rung: value,
    low: Math.min(
      Math.floor(low),
      // A bin that was never asked may be lost as well as found.
      lastWhere(bins, (bin) => asked(bin, all) && wilson(bin).low >= enough),
    ),
    high: Math.max(
      Math.ceil(high),
      lastWhere(bins, (bin) => !asked(bin, all) || wilson(bin).high >= enough),
    ),
  };
}

/** Two perplexities differ clearly if their ratio exceeds 1.1, whose logarithm this is. */
const CLEAR = Math.log(1.1);

/**
 * The nats that one unit of mean ln excess over the trained angles costs LLaMA 7B. It is the weight
 * of the formula in docs/validation.md, "The rival".
 */
const NATS_PER_EXCESS = 12;

/**
 * Returns the index of the last value, without a gap from the first on, that is at most `limit`
 * above the first.
 *
 * @throws RangeError if any value is not a number, since it would pass for a length that holds
 */
function lastWithin(values: readonly number[], limit: number): number {
  const unknown = values.findIndex((x) => !Number.isFinite(x));
  if (unknown >= 0) throw new RangeError(`value ${unknown + 1} of ${values.length} is no number`);
  const beyond = values.findIndex((x) => x > values[0]! + limit);
  return beyond < 0 ? values.length - 1 : beyond - 1;
}

/**
 * Returns the reach by loss: the last length, without a gap from the first on, at which perplexity
 * is not clearly above that at the first.
 *
 * @param losses nats, by ascending length
 * @returns its index
 */
export function lastWithinLoss(losses: readonly number[]): number {
  return lastWithin(losses, CLEAR);
}

/**
 * Returns the reach by the exact angles: the last length at which leaving the trained range does
 * not clearly raise perplexity.
 *
 * @param excess mean ln excess over the trained angles, by ascending length
 * @returns its index
 */
export function lastInRange(excess: readonly number[]): number {
  return lastWithin(excess, CLEAR / NATS_PER_EXCESS);
}

/**
 * How much one reach varies in either direction, as a share of it, with the seed of the probe
 * model, its neighbours in the family and the contexts (docs/validation.md, "Reach").
 */
const SPREAD = 1 / 8;

/** Three measures of one reach, as window multiples. */
interface Readings {
  /** Above 0. */
  readonly facts: number;
  readonly loss: number;
  /** undefined: the angles stay in range to the end of the ladder. */
  readonly angles: number | undefined;
}

/**
 * Estimates where a model's reach lies. A model needs both its facts and its language, so the
 * shorter reach counts. A probe outlasts its trained angles by more than a real model does, so the
 * estimate is the geometric mean of that reach and of where the angles end. The interval is how
 * much seeds and family members differ.
 */
export function expectedReach({ facts, loss, angles }: Readings): { low: number; high: number } {
  const probe = Math.min(facts, loss);
  const middle = Math.sqrt(probe * (angles ?? probe));
  return { low: middle * (1 - SPREAD), high: middle * (1 + SPREAD) };
}

/** The engine's answers for the scored tokens of one context, in the order of `Context.items`. */
export interface ContextScores {
  readonly logProbability: Float32Array;
  readonly correct: Uint8Array;
}

/** The scores of a scaling on a set of contexts, by rung, since a scaling may follow the length. */
export interface Measurement {
  readonly contexts: readonly Context[];
  /** (rung) → one entry per context. */
  readonly at: readonly (readonly ContextScores[])[];
  /** Nats of LLaMA 7B for one nat of the language's loss; 1 for the user's weights. */
  readonly lossScale: number;
}

export type Quantity = 'accuracy' | 'loss';

/** The scored tokens that one statistic is about. */
export interface TokenSelection {
  readonly kind: Kind;
  readonly rungs: readonly number[];
  /** For facts: the distance as a share of the rung's length, [from, to). */
  readonly distance?: readonly [number, number];
}

/**
 * Sums the values of one cell by context. Loss is in nats above what the text's own source needs,
 * so that hard and easy passages can be compared. The loss of language is multiplied by
 * `lossScale`.
 */
export function clusters(
  measurement: Measurement,
  cell: TokenSelection,
  quantity: Quantity,
): Cluster[] {
  const scale = quantity === 'loss' && cell.kind === 'language' ? measurement.lossScale : 1;
  return measurement.contexts.map((context, c) => {
    let sum = 0;
    let count = 0;
    context.items.forEach((item, i) => {
      if (item.kind !== cell.kind || !cell.rungs.includes(item.rung)) return;
      if (cell.distance) {
        if (item.share < cell.distance[0] || item.share >= cell.distance[1]) return;
      }
      const scores = measurement.at[item.rung]?.[c];
      // A token without a score counts as NaN, which every statistic refuses.
      sum +=
        quantity === 'accuracy'
          ? (scores?.correct[i] ?? NaN)
          : -(scores?.logProbability[i] ?? NaN) - item.surprise;
      count++;
    });
    return { sum: scale * sum, count };
  });
}

/** The shares of a rung's length by which facts are binned, nearest first. */
export const DISTANCE_BINS: readonly (readonly [number, number])[] = Object.freeze(
  // Each bin begins exactly where the last one ends; computed as 0.4 + 0.2, it would not be 0.6.
  [0, 0.2, 0.4, 0.6, 0.8].map((from, i, all) => [from, all[i + 1] ?? 1.01] as const),
);

/** Returns the accuracy by distance, (rungs, bins, contexts), from which reach is judged. */
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

/** The contribution of one context, which is the unit because facts in it are correlated. */
export interface Cluster {
  readonly sum: number;
  readonly count: number;
}

const Z = 1.959964; // two-sided 95 %
const RESAMPLES = 1000;

/**
 * Refuses a statistic that is not a number. It comes from no answers at all, or from an engine that
 * answered NaN, and it must not pass as a 0, a rank or a verdict.
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
 * Computes the Wilson score interval of a share on the effective sample. The sample size is divided
 * by the design effect, that is the variance between contexts over the variance of independent
 * answers (Wilson 1927; Kish 1965).
 *
 * @throws RopeEvalError `not_measured` if there is no answer
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

/** Returns a quantile of sorted values, interpolated linearly between neighbours. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low]!;
  return a + (at - low) * ((sorted[low + 1] ?? a) - a);
}

/** Draws seeded resamples of `size` contexts with replacement, each as a list of indices. */
export function resamples(size: number, seed: number, count = RESAMPLES): number[][] {
  const random = Random.stream(seed, size);
  return Array.from({ length: count }, () =>
    Array.from({ length: size }, () => random.below(size)),
  );
}

/**
 * Computes a percentile bootstrap over contexts (Efron 1979) of a mean, or of a difference of
 * means. The interval is widened for few contexts (see `intervalOf`).
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
 * Computes the 95 % interval of a mean from its resamples. For few contexts it is widened, for two
 * reasons: the resamples spread too little, by sqrt((n - 1) / n), and they spread like a normal
 * variable whereas the error of the mean follows Student's distribution. With six contexts, the
 * plain percentiles held the truth in only 85 % of cases.
 *
 * @param contexts how many were drawn from
 */
export function intervalOf(value: number, drawn: readonly number[], contexts: number): Interval {
  const { low, high } = percentiles(value, drawn);
  const wider = widening(contexts);
  return { value, low: value - wider * (value - low), high: value + wider * (high - value) };
}

/** Returns the plain percentiles together with the value. */
export function percentiles(value: number, drawn: readonly number[]): Interval {
  measured(value);
  drawn.forEach(measured);
  const all = drawn.toSorted((a, b) => a - b);
  const [low, high] = [measured(quantile(all, 0.025)), measured(quantile(all, 0.975))];
  return { value, low: Math.min(low, value), high: Math.max(high, value) };
}

/**
 * Returns how much an interval is widened: Student's 97.5 % quantile (Abramowitz & Stegun 26.7.5)
 * over the normal one, times the missing spread.
 */
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

/** Returns the mean per answer, as the ratio of the sums. */
export function average(clusters: readonly Cluster[]): number {
  const { sum, count } = total(clusters);
  return measured(sum / count);
}

/** Returns the mean per answer over the drawn contexts, as the ratio of the sums. */
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
 * Returns the mean of `a` minus the mean of `b` on the same contexts, with its interval.
 *
 * @param limit the largest possible difference: 1 for shares
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

/** Returns the mean of one measurement, with its interval. */
export function meanInterval(
  clusters: readonly Cluster[],
  draws: readonly (readonly number[])[],
): Interval {
  return bootstrap((contexts) => mean(clusters, contexts), clusters.length, draws);
}

/** Returns (n,) each value, or the largest before it. */
export function runningMaximum(values: readonly number[]): number[] {
  let most = -Infinity;
  return values.map((value) => (most = Math.max(most, value)));
}

/** Returns the mean of plain values. */
export function meanOf(values: readonly number[]): number {
  return measured(values.reduce((a, b) => a + b, 0) / values.length);
}

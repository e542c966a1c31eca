import { Random } from './random.js';

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
 */
export function wilson(clusters: readonly Cluster[]): Interval {
  const { sum, count } = total(clusters);
  if (count === 0) return { value: 0, low: 0, high: 1 };
  const p = sum / count;
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
 * Percentile bootstrap over contexts (Efron 1979) of any statistic of the drawn contexts.
 *
 * @param draws from `resamples`; the same draws for every candidate keep comparisons paired
 */
export function bootstrap(
  statistic: (contexts: readonly number[]) => number,
  size: number,
  draws: readonly (readonly number[])[],
): Interval {
  const value = statistic(Array.from({ length: size }, (_, i) => i));
  const all = draws.map(statistic).sort((a, b) => a - b);
  const low = quantile(all, 0.025);
  const high = quantile(all, 0.975);
  return { value, low: Math.min(low, value), high: Math.max(high, value) };
}

/** Ratio of sums over the drawn contexts: the mean per answer, 0 where there is none. */
export function mean(clusters: readonly Cluster[], contexts: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const i of contexts) {
    sum += clusters[i]!.sum;
    count += clusters[i]!.count;
  }
  return count === 0 ? 0 : sum / count;
}

/** Mean of `a` minus mean of `b` on the same contexts, with its interval. */
export function pairedDifference(
  a: readonly Cluster[],
  b: readonly Cluster[],
  draws: readonly (readonly number[])[],
): Interval {
  return bootstrap((contexts) => mean(a, contexts) - mean(b, contexts), a.length, draws);
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

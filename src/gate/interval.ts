import type { Interval } from '../report/schema/report.js';

export type Operator = '>=' | '<=' | '>' | '<';

export type Outcome = 'pass' | 'fail' | 'unverifiable';

/** Values this close count as equal, so that a verdict never depends on the last bit of a float. */
const RELATIVE_SLACK = 1e-9;

/** Advice never asks for more samples than this, which take a CPU about an hour. */
const MOST_SAMPLES = 1000;

/**
 * Compares an interval with a threshold: pass if every value of the interval satisfies the rule,
 * fail if none does, and otherwise unverifiable, because the measurement cannot decide.
 */
export function judge(found: Interval, operator: Operator, threshold: number): Outcome {
  const low = satisfies(found.low, operator, threshold);
  const high = satisfies(found.high, operator, threshold);
  if (low && high) return 'pass';
  return low || high ? 'unverifiable' : 'fail';
}

/** Whether a value satisfies a rule. Differences in the last bits of a float are ignored. */
export function satisfies(value: number, operator: Operator, threshold: number): boolean {
  const slack = RELATIVE_SLACK * Math.max(1, Math.abs(threshold));
  if (operator === '>=') return value >= threshold - slack;
  if (operator === '<=') return value <= threshold + slack;
  return operator === '>' ? value > threshold + slack : value < threshold - slack;
}

/**
 * Estimates how many samples would decide a rule whose interval contains the threshold. An interval
 * shrinks with the square root of the sample size, and its half on the threshold's side must become
 * shorter than the distance to the threshold.
 *
 * @param samples behind the interval
 * @returns null if no practical number would decide, because the value is too close to the
 *   threshold
 */
export function samplesToDecide(
  found: Interval,
  threshold: number,
  samples: number,
): number | null {
  const distance = Math.abs(found.value - threshold);
  const half = found.value > threshold ? found.value - found.low : found.high - found.value;
  if (!(distance > 0) || !(samples > 0) || !Number.isFinite(half)) return null;
  const needed = Math.ceil(samples * (half / distance) ** 2);
  return needed > MOST_SAMPLES ? null : Math.max(needed, samples + 1);
}

/**
 * Bounds `later - earlier` by the two intervals alone. The result is wider than necessary for
 * paired measurements, because what they have in common cannot be removed afterwards.
 */
export function differenceOf(later: Interval, earlier: Interval): Interval {
  return {
    value: later.value - earlier.value,
    low: later.low - earlier.high,
    high: later.high - earlier.low,
  };
}

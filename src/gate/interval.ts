import type { Interval } from '../report/schema/report.js';

export type Operator = '>=' | '<=' | '>' | '<';

export type Outcome = 'pass' | 'fail' | 'unverifiable';

/** A gate must not turn on the last bit of a float: values this close count as equal. */
const RELATIVE_SLACK = 1e-9;

/** More samples than this, an hour or so of a CPU, is no advice, it is a no. */
const MOST_SAMPLES = 1000;

/**
 * Pass if every value of the interval satisfies the rule, fail if none does, otherwise
 * unverifiable: the measurement cannot tell.
 */
export function judge(found: Interval, operator: Operator, threshold: number): Outcome {
  const low = satisfies(found.low, operator, threshold);
  const high = satisfies(found.high, operator, threshold);
  if (low && high) return 'pass';
  return low || high ? 'unverifiable' : 'fail';
}

/** Whether a value satisfies a rule, to the last bits of a float. */
export function satisfies(value: number, operator: Operator, threshold: number): boolean {
  const slack = RELATIVE_SLACK * Math.max(1, Math.abs(threshold));
  if (operator === '>=') return value >= threshold - slack;
  if (operator === '<=') return value <= threshold + slack;
  return operator === '>' ? value > threshold + slack : value < threshold - slack;
}

/**
 * About how many samples would decide a rule that straddles: an interval shrinks with the square
 * root of the sample, and its half on the threshold's side must become shorter than the distance.
 *
 * @param samples behind the interval
 * @returns null where no number helps: the value stands on the threshold
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
 * Interval of `later - earlier` from the two intervals alone. Wider than the truth where the
 * measurements are paired: their common part cannot be taken out afterwards.
 */
export function differenceOf(later: Interval, earlier: Interval): Interval {
  return {
    value: later.value - earlier.value,
    low: later.low - earlier.high,
    high: later.high - earlier.low,
  };
}

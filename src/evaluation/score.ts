import { clusters, type Measurement } from '../probes/measure.js';
import { intervalOf, mean, runningMaximum, type Cluster } from '../probes/statistics.js';
import type { TextMeasured } from './summary.js';

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
    average(runningMaximum(rungs.map((r) => mean(r.words, draw) - mean(r.windowed, draw))));
  const whole = measured(text.measurement.contexts.map((_, i) => i));
  const range = average(counted.map((rung) => outOfRange[rung]!));
  return {
    value: whole + range,
    loss: whole,
    outOfRange: range,
    contexts: text.set.contexts.length,
    draws: Float64Array.from(text.draws, (draw) => measured(draw) + range),
  };
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Whether two scores cannot be told apart: the paired difference's 95 % interval holds 0. */
export function tied(a: Score, b: Score): boolean {
  const differences = Array.from(a.draws, (x, i) => x - b.draws[i]!);
  const { low, high } = intervalOf(a.value - b.value, differences, a.contexts);
  return low <= 0 && high >= 0;
}

import { clusters, type Measurement } from '../probes/measure.js';
import { mean, quantile, type Cluster } from '../probes/statistics.js';
import type { TextMeasured } from './summary.js';

export interface Score {
  /** Nats, lower is better: mean over the rungs from 1x to the target. */
  readonly value: number;
  /** (rungs) the same at each rung. */
  readonly byRung: readonly number[];
  /** (resamples) the score on each draw of contexts, for paired comparisons. */
  readonly draws: Float64Array;
}

/**
 * The score that ranks candidates, at each rung: language loss - the reference's on the same text
 * within its window; the mean over the rungs from 1x to the target. It has no weights: the language
 * leans on what stands far back, so that a scaling which loses that pays here.
 *
 * @param last index of the target's rung
 */
export function score(text: TextMeasured, last: number): Score {
  const loss = (m: Measurement, rung: number): Cluster[] =>
    clusters(m, text.set.lengths, { kind: 'language', rungs: [rung] }, 'loss');
  const rungs = Array.from({ length: last + 1 }, (_, r) => ({
    words: loss(text.measurement, r),
    windowed: text.windowed[r]!,
  }));
  const at = (draw: readonly number[]): number[] =>
    rungs.map((r) => mean(r.words, draw) - mean(r.windowed, draw));
  const average = (values: readonly number[]): number => {
    const beyond = values.slice(text.home);
    return beyond.reduce((a, b) => a + b, 0) / beyond.length;
  };
  const byRung = at(text.measurement.contexts.map((_, i) => i));
  return {
    value: average(byRung),
    byRung,
    draws: Float64Array.from(text.draws, (draw) => average(at(draw))),
  };
}

/** Whether two scores cannot be told apart: the paired difference's 95 % interval holds 0. */
export function tied(a: Score, b: Score): boolean {
  const differences = Array.from(a.draws, (x, i) => x - b.draws[i]!).sort((x, y) => x - y);
  return quantile(differences, 0.025) <= 0 && quantile(differences, 0.975) >= 0;
}

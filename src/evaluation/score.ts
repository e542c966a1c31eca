import { clusters, type Measurement } from '../probes/measure.js';
import { mean, quantile, runningMaximum, type Cluster } from '../probes/statistics.js';
import type { TextMeasured } from './summary.js';

export interface Score {
  /** Nats, lower is better: mean over the rungs from 1x to the target. */
  readonly value: number;
  /** (resamples) the score on each draw of contexts, for paired comparisons. */
  readonly draws: Float64Array;
}

/**
 * The score that ranks candidates. At each rung from 1x on: language loss - the reference's on the
 * same text within its window, or what it was at a shorter rung if that is more, for what has broken
 * stays broken: a probe that is lost recovers a little in longer contexts, where real models get
 * worse (docs/validation.md, "Real text"). The score is the mean over these rungs, to the target. It
 * has no weights: the language leans on what stands far back, so that a scaling which loses that
 * pays here.
 *
 * @param last index of the target's rung
 */
export function score(text: TextMeasured, last: number): Score {
  const loss = (m: Measurement, rung: number): Cluster[] =>
    clusters(m, text.set.lengths, { kind: 'language', rungs: [rung] }, 'loss');
  const rungs = Array.from({ length: last + 1 - text.home }, (_, r) => ({
    words: loss(text.measurement, text.home + r),
    windowed: text.windowed[text.home + r]!,
  }));
  const at = (draw: readonly number[]): number => {
    const changes = rungs.map((r) => mean(r.words, draw) - mean(r.windowed, draw));
    return runningMaximum(changes).reduce((a, b) => a + b, 0) / changes.length;
  };
  return {
    value: at(text.measurement.contexts.map((_, i) => i)),
    draws: Float64Array.from(text.draws, at),
  };
}

/** Whether two scores cannot be told apart: the paired difference's 95 % interval holds 0. */
export function tied(a: Score, b: Score): boolean {
  const differences = Array.from(a.draws, (x, i) => x - b.draws[i]!).sort((x, y) => x - y);
  return quantile(differences, 0.025) <= 0 && quantile(differences, 0.975) >= 0;
}

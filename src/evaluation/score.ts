import { clusters, type Measurement } from '../probes/measure.js';
import { mean, quantile, type Cluster } from '../probes/statistics.js';
import type { Measured, TextMeasured } from './summary.js';

/**
 * Weight of the facts' loss beside the language's. The one number fitted to published results;
 * docs/validation.md has the fit and what it is worth on results that it was not fitted to.
 */
export const FACT_WEIGHT = 0.05;

export interface Score {
  /** Nats, lower is better: mean over the rungs from 1x to the target. */
  readonly value: number;
  /** (rungs) the same at each rung. */
  readonly byRung: readonly number[];
  /** (resamples) the score on each draw of contexts, for paired comparisons. */
  readonly draws: Float64Array;
}

/**
 * The score that ranks candidates, at each rung: (language loss - the reference's on the same text
 * within its window) + 0.05 x (facts' loss - the reference's at 1x); the mean over the rungs from 1x
 * to the target.
 *
 * @param last index of the target's rung
 */
export function score(facts: Measured, text: TextMeasured, last: number): Score {
  const loss = (m: Measurement, kind: 'fact' | 'language', rung: number): Cluster[] => {
    const { lengths } = kind === 'fact' ? facts.set : text.set;
    return clusters(m, lengths, { kind, rungs: [rung] }, 'loss');
  };
  const start = loss(facts.reference, 'fact', facts.home);
  const rungs = Array.from({ length: last + 1 }, (_, r) => ({
    facts: loss(facts.measurement, 'fact', r),
    words: loss(text.measurement, 'language', r),
    windowed: text.windowed[r]!,
  }));
  const at = (f: readonly number[], t: readonly number[]): number[] =>
    rungs.map(
      (r) =>
        mean(r.words, t) - mean(r.windowed, t) + FACT_WEIGHT * (mean(r.facts, f) - mean(start, f)),
    );
  const average = (values: readonly number[]): number => {
    const beyond = values.slice(facts.home);
    return beyond.reduce((a, b) => a + b, 0) / beyond.length;
  };
  const every = (m: Measured): number[] => m.measurement.contexts.map((_, i) => i);
  const byRung = at(every(facts), every(text));
  return {
    value: average(byRung),
    byRung,
    draws: Float64Array.from(facts.draws, (f, i) => average(at(f, text.draws[i]!))),
  };
}

/** Whether two scores cannot be told apart: the paired difference's 95 % interval holds 0. */
export function tied(a: Score, b: Score): boolean {
  const differences = Array.from(a.draws, (x, i) => x - b.draws[i]!).sort((x, y) => x - y);
  return quantile(differences, 0.025) <= 0 && quantile(differences, 0.975) >= 0;
}

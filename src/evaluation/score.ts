import { clusters, type Cell, type Measurement } from '../probes/measure.js';
import { mean, quantile, type Cluster } from '../probes/statistics.js';
import type { Comparison, Measured } from './summary.js';

/** Weight of the facts' loss beside the language's; docs/score.md. */
export const FACT_WEIGHT = 0.2;

export interface Score {
  /** Nats, lower is better: mean over the rungs from 1x to the target. */
  readonly value: number;
  /** (rungs) the same at each rung. */
  readonly byRung: readonly number[];
  /** (resamples) the score on each draw of contexts, for paired comparisons. */
  readonly draws: Float64Array;
}

interface Level {
  readonly language: Cluster[];
  readonly facts: Cluster[];
}

function level(
  facts: Comparison,
  text: Comparison,
  f: Measurement,
  t: Measurement,
  r: number,
): Level {
  const cell = (kind: 'fact' | 'language'): Cell => ({ kind, rungs: [r] });
  return {
    language: clusters(t, text.set.lengths, cell('language'), 'loss'),
    facts: clusters(f, facts.set.lengths, cell('fact'), 'loss'),
  };
}

/**
 * The score that ranks candidates: (language loss + 0.2 x facts' loss) minus the reference's at
 * 1x, averaged over the rungs from 1x to the target.
 *
 * @param last index of the target's rung
 */
export function score(facts: Measured, text: Measured, last: number): Score {
  const rungs = facts.rungs.map((_, r) => r).slice(0, last + 1);
  const own = rungs.map((r) => level(facts, text, facts.measurement, text.measurement, r));
  const start = level(facts, text, facts.reference, text.reference, 0);
  const height = (l: Level, f: readonly number[], t: readonly number[]): number =>
    mean(l.language, t) + FACT_WEIGHT * mean(l.facts, f);
  const at = (f: readonly number[], t: readonly number[]): number[] => {
    const origin = height(start, f, t);
    return own.map((l) => height(l, f, t) - origin);
  };
  const average = (values: readonly number[]): number =>
    values.reduce((a, b) => a + b, 0) / values.length;
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

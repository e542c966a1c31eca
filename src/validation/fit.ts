import { count, pairs, type Agreement, type Pair } from './agreement.js';
import type { Row } from './results.js';

/** A predictor with weights to choose: `predict(row, weights)`, lower = better. */
export interface Family<W> {
  readonly grid: readonly W[];
  predict(row: Row, weights: W): number;
}

function pairsWith<W>(rows: readonly Row[], family: Family<W>, weights: W): Pair[] {
  return pairs(rows.map((row) => ({ row, prediction: family.predict(row, weights) })));
}

const within = (list: readonly Pair[]): Pair[] => list.filter((p) => p.sameFactor);

/** The weights that agree with most pairs of the same factor; the first of equals. */
export function fit<W>(rows: readonly Row[], family: Family<W>): W {
  let best = family.grid[0] as W;
  let most = -1;
  for (const weights of family.grid) {
    const { agree } = count(within(pairsWith(rows, family, weights)));
    if (agree > most) [best, most] = [weights, agree];
  }
  return best;
}

/** Fitted without the rows of one factor, judged on them; summed over the factors. */
export function leaveOneFactorOut<W>(rows: readonly Row[], family: Family<W>): Agreement {
  const factors = [...new Set(rows.map((r) => r.factor))];
  let [agree, total] = [0, 0];
  for (const factor of factors) {
    const weights = fit(
      rows.filter((r) => r.factor !== factor),
      family,
    );
    const judged = rows.filter((r) => r.factor === factor);
    const found = count(within(pairsWith(judged, family, weights)));
    agree += found.agree;
    total += found.total;
  }
  return { agree, total };
}

import { computeRope } from '../rope/index.js';
import type { Row } from './results.js';
import { specOf } from './specs.js';

/** What geometry alone says of a scaling at a length; no model is run. */
export interface FormulaTerms {
  /** Mean ln of how far pairs that never turned in training leave their range. */
  readonly outOfRange: number;
  /** Mean |ln stretch| of the pairs that did turn: local resolution lost. */
  readonly compression: number;
  /** Share of distances up to the length with a negative cosine sum (Men et al. 2024). */
  readonly negativeSum: number;
}

const TURN = 2 * Math.PI;
const DISTANCES = 256;

export function formulaTerms(row: Row): FormulaTerms | undefined {
  const spec = specOf(row);
  if (!spec) return undefined;
  const { theta, headDim, window } = row.geometry;
  const reference = computeRope({ type: 'default', theta, rotaryDim: headDim }, window);
  const candidate = computeRope(spec, row.length);
  let [outOfRange, compression] = [0, 0];
  reference.invFreq.forEach((from, i) => {
    const to = candidate.invFreq[i]!;
    if ((window * from) / TURN < 1)
      outOfRange += Math.max(0, Math.log((row.length * to) / (window * from)));
    else compression += Math.abs(Math.log(from / to));
  });
  let negative = 0;
  for (let d = 1; d <= DISTANCES; d++) {
    const distance = (d / DISTANCES) * row.length;
    const sum = candidate.invFreq.reduce((a, f) => a + Math.cos(f * distance), 0);
    if (sum < 0) negative++;
  }
  const pairs = reference.invFreq.length;
  return {
    outOfRange: outOfRange / pairs,
    compression: compression / pairs,
    negativeSum: negative / DISTANCES,
  };
}

/** Weights of the terms; the first is 1. */
export type Weights = readonly [compression: number, negativeSum: number];

export function formulaPrediction(
  terms: FormulaTerms,
  [compression, negativeSum]: Weights,
): number {
  return terms.outOfRange + compression * terms.compression + negativeSum * terms.negativeSum;
}

/** Every pair of weights on a log grid that the fit may choose from. */
export const WEIGHT_GRID: readonly Weights[] = Object.freeze(
  [0, 0.03, 0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 3, 5].flatMap((a) =>
    [0, 0.03, 0.1, 0.3, 1, 3].map((b) => [a, b] as const),
  ),
);

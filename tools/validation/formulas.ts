import { meanLogExcess } from '../../src/geometry/base-bound.js';
import type { RopeTable } from '../../src/rope/kind.js';
import { yarnMscale } from '../../src/rope/kinds/yarn.js';
import { computeRope, type RopeSpec } from '../../src/rope/registry.js';
import { specOf } from './specs.js';
import type { Geometry, Row } from './types.js';

/**
 * What formulas alone say about a scaling at a length, without running a model or knowing the
 * method. Stretch is reference / candidate inverse frequency; means are over all pairs.
 */
export interface FormulaTerms {
  /**
   * Mean ln of how far pairs that never turned in training leave their trained angles (Liu et al.
   * 2023, arXiv:2310.05209, section 4.2).
   */
  readonly outOfRange: number;
  /** Mean ln² stretch of pairs that turn more than 32 times, which order near tokens (YaRN). */
  readonly nearOrder: number;
  /** Mean ln² stretch of all pairs. */
  readonly spread: number;
  /**
   * Missing (or excessive) share of the attention temperature, 0 to 1. The largest stretch s
   * requires 0.1 ln s + 1 (Peng et al. 2023, arXiv:2309.00071, equation 22).
   */
  readonly temperature: number;
  /** Share of distances up to the length with a negative cosine sum (Men et al. 2024). */
  readonly negativeSum: number;
}

const TURN = 2 * Math.PI;
/** YaRN's beta_fast. Faster pairs are left alone, because they distinguish neighbouring tokens. */
const FAST = 32;
const DISTANCES = 256;

function referenceTable({ theta, rotaryDim, window }: Geometry): RopeTable {
  return computeRope({ type: 'default', theta, rotaryDim }, window);
}

export function formulaTerms(row: Row): FormulaTerms {
  return termsAt(row.geometry, specOf(row)!, row.length);
}

/** @param length number of tokens that are read */
export function termsAt(geometry: Geometry, spec: RopeSpec, length: number): FormulaTerms {
  const { window } = geometry;
  const reference = referenceTable(geometry);
  const candidate = computeRope(spec, length);
  const pairs = reference.invFreq.length;
  const logStretch = Array.from(reference.invFreq, (from, i) =>
    Math.log(from / candidate.invFreq[i]!),
  );
  const meanSquare = (include: (pair: number) => boolean): number =>
    logStretch.reduce((sum, x, i) => sum + (include(i) ? x * x : 0), 0) / pairs;
  return {
    outOfRange: meanLogExcess(reference.invFreq, candidate.invFreq, window, length),
    nearOrder: meanSquare((i) => (window * reference.invFreq[i]!) / TURN > FAST),
    spread: meanSquare(() => true),
    temperature: missingTemperature(Math.exp(Math.max(...logStretch)), candidate.attentionScaling),
    negativeSum: negativeShare(candidate.invFreq, length),
  };
}

function missingTemperature(stretch: number, attentionScaling: number): number {
  const asked = yarnMscale(stretch) - 1;
  const given = attentionScaling - 1;
  if (Math.abs(asked - given) < 1e-9) return 0;
  return asked === 0 ? 1 : Math.min(1, Math.abs(1 - given / asked));
}

function negativeShare(invFreq: Float64Array, length: number): number {
  let negative = 0;
  for (let d = 1; d <= DISTANCES; d++) {
    const distance = (d / DISTANCES) * length;
    if (invFreq.reduce((sum, f) => sum + Math.cos(f * distance), 0) < 0) negative++;
  }
  return negative / DISTANCES;
}

/** Nats per unit of each term. `temperature` and `negativeSum` are not fitted. */
export interface FormulaWeights {
  readonly outOfRange: number;
  readonly nearOrder: number;
  readonly spread: number;
  readonly temperature: number;
  readonly negativeSum: number;
}

/**
 * The weights, fitted once to the tables in fixtures/published/results.json (docs/validation.md)
 * and used unchanged for every other file.
 */
export const FORMULA_WEIGHTS: FormulaWeights = Object.freeze({
  outOfRange: 12,
  nearOrder: 0.6,
  spread: 0.04,
  temperature: 1,
  negativeSum: 0,
});

/** Loss change relative to the unscaled model within its window, in nats. */
export function formulaLoss(t: FormulaTerms, w: FormulaWeights = FORMULA_WEIGHTS): number {
  return (
    w.outOfRange * t.outOfRange +
    w.nearOrder * t.nearOrder +
    w.spread * t.spread * (1 + w.temperature * t.temperature) +
    w.negativeSum * t.negativeSum
  );
}

/**
 * Returns the critical fraction of plain RoPE by its formula (Liu et al. 2023, arXiv:2310.05209). It
 * is negative if every pair turns.
 */
export function criticalFraction(theta: number, window: number): number {
  return 1 - Math.log(window / (2 * Math.PI)) / Math.log(theta);
}

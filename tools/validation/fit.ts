import { quantile } from '../../src/probes/measure.js';
import {
  type Agreement,
  changeError,
  changeRatio,
  count,
  type Pair,
  type Predict,
  type PublishedChange,
  told,
  withinTwo,
} from './agreement.js';
import {
  FORMULA_WEIGHTS,
  formulaLoss,
  type FormulaTerms,
  formulaTerms,
  type FormulaWeights,
} from './formulas.js';
import type { Row } from './types.js';

/** What weights are fitted to and judged on. */
export interface Evidence {
  readonly pairs: readonly Pair[];
  readonly changes: readonly PublishedChange[];
}

export const sameFactor = (list: readonly Pair[]): Pair[] => list.filter((p) => p.sameFactor);

/**
 * Chooses the weights with the most agreeing pairs of equal factor, and among those of any factor.
 * If several remain, it takes the middle one, which is farthest from where the agreement ends.
 *
 * @param grid ascending
 */
export function mostAgreeing<W>(
  list: readonly Pair[],
  grid: readonly W[],
  predict: (weights: W) => Predict,
): W {
  const judged = grid.map((weights) => {
    const judge = predict(weights);
    return { weights, same: count(sameFactor(list), judge).agree, any: count(list, judge).agree };
  });
  const same = Math.max(...judged.map((x) => x.same));
  const any = Math.max(...judged.filter((x) => x.same === same).map((x) => x.any));
  const best = judged.filter((x) => x.same === same && x.any === any);
  return best[Math.floor(best.length / 2)]!.weights;
}

/** A grid with twelve steps per decade. */
const steps = (from: number, decades: number): number[] =>
  Array.from({ length: 12 * decades + 1 }, (_, i) => from * 10 ** (i / 12));
const RANGE_GRID = steps(1, 2);
const NEAR_GRID = [0, ...steps(0.05, 2)];
const SPREAD_GRID = [0, ...steps(0.005, 2)];

/** Weights of a variant that are fixed. The others are fitted. */
export type Fixed = Partial<FormulaWeights>;

/**
 * Fits three weights in two steps: `nearOrder` and `spread` by the least squared log error of the
 * loss changes at 1x, then `outOfRange` by the pairs. Weights that the evidence cannot determine
 * stay as declared.
 */
export function fitFormula(
  { pairs, changes }: Evidence,
  terms: ReadonlyMap<Row, FormulaTerms>,
  fixed: Fixed = {},
): FormulaWeights {
  const start = { ...FORMULA_WEIGHTS, ...fixed };
  let weights = start;
  if (changes.filter((c) => !c.bound).length >= 3) {
    let least = Infinity;
    for (const nearOrder of fixed.nearOrder === undefined ? NEAR_GRID : [fixed.nearOrder])
      for (const spread of fixed.spread === undefined ? SPREAD_GRID : [fixed.spread]) {
        const tried = { ...start, nearOrder, spread };
        const error = changeError(changes, (row) => formulaLoss(terms.get(row)!, tried));
        if (error < least) [weights, least] = [tried, error];
      }
  }
  if (sameFactor(pairs).length === 0 || fixed.outOfRange !== undefined) return weights;
  const grid = RANGE_GRID.map((outOfRange) => ({ ...weights, outOfRange }));
  return mostAgreeing(pairs, grid, (w) => (row) => formulaLoss(terms.get(row)!, w));
}

/**
 * Fits one factor from predicted to published changes at 1x. It uses the median, because some
 * published changes are hardly larger than their rounding; 1 if fewer than three have a value, or
 * if the median prediction is no cost.
 */
export function fitScale(changes: readonly PublishedChange[], predict: Predict): number {
  const ratios = changes
    .filter((c) => !c.bound)
    .flatMap((c) => changeRatio(c, told(predict, c.row)) ?? [])
    .sort((a, b) => a - b);
  const middle = ratios.length < 3 ? 0 : quantile(ratios, 0.5);
  return middle > 0 ? 1 / middle : 1;
}

export interface LeftOut {
  /** Pairs with the factor that was left out, summed over the factors. */
  readonly pairs: Agreement;
  /** Loss changes at 1x of that factor within a factor of two. */
  readonly changes: Agreement;
}

/** Fits without the rows of one factor and judges on them, summed over the factors. */
export function leaveOneFactorOut(
  evidence: Evidence,
  fit: (evidence: Evidence) => Predict,
): LeftOut {
  const factors = new Set(evidence.pairs.flatMap(({ a, b }) => [a.factor, b.factor]));
  for (const change of evidence.changes) factors.add(change.row.factor);
  let [agree, total, within, changes] = [0, 0, 0, 0];
  for (const factor of factors) {
    const predict = fit({
      pairs: evidence.pairs.filter((p) => p.a.factor !== factor && p.b.factor !== factor),
      changes: evidence.changes.filter((c) => c.row.factor !== factor),
    });
    const judged = sameFactor(evidence.pairs).filter((p) => p.a.factor === factor);
    const found = count(judged, predict);
    const mine = withinTwo(
      evidence.changes.filter((c) => c.row.factor === factor),
      predict,
    );
    [agree, total] = [agree + found.agree, total + found.total];
    [within, changes] = [within + mine.agree, changes + mine.total];
  }
  return { pairs: { agree, total }, changes: { agree: within, total: changes } };
}

/** A variant of the formula, with its weights fitted to the present file. */
export interface Variant {
  readonly name: string;
  readonly weights: FormulaWeights;
  readonly sameFactor: Agreement;
  readonly anyFactor: Agreement;
  readonly changes: Agreement;
  readonly leftOut: LeftOut;
}

export interface FormulaJudgement {
  /** With the declared weights. */
  readonly predict: Predict;
  readonly leftOut: LeftOut;
  /** The declared formula, the formula without each of its terms, and with the base bound. */
  readonly variants: readonly Variant[];
}

const VARIANTS: readonly (readonly [string, Fixed])[] = Object.freeze([
  ['all terms', {}],
  ['without out of range', { outOfRange: 0 }],
  ['without order of near tokens', { nearOrder: 0 }],
  ['without spread', { spread: 0 }],
  ['without temperature', { temperature: 0 }],
  ['with negative sums, weight 0.1', { negativeSum: 0.1 }],
  ['with negative sums, weight 1', { negativeSum: 1 }],
]);

export function judgeFormulas(rows: readonly Row[], evidence: Evidence): FormulaJudgement {
  const terms = new Map<Row, FormulaTerms>(rows.map((row) => [row, formulaTerms(row)]));
  const by =
    (weights?: FormulaWeights): Predict =>
    (row) =>
      formulaLoss(terms.get(row)!, weights);
  const variants = VARIANTS.map(([name, fixed]): Variant => {
    const fit = (e: Evidence): FormulaWeights => fitFormula(e, terms, fixed);
    const weights = fit(evidence);
    return {
      name,
      weights,
      sameFactor: count(sameFactor(evidence.pairs), by(weights)),
      anyFactor: count(evidence.pairs, by(weights)),
      changes: withinTwo(evidence.changes, by(weights)),
      leftOut: leaveOneFactorOut(evidence, (e) => by(fit(e))),
    };
  });
  return { predict: by(), leftOut: variants[0]!.leftOut, variants };
}

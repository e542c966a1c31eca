import { count, type Agreement, type Predict } from './agreement.js';
import { withinTwo } from './changes.js';
import {
  fitFormula,
  leaveOneFactorOut,
  sameFactor,
  type Evidence,
  type Fixed,
  type LeftOut,
} from './fit.js';
import { formulaLoss, formulaTerms, type FormulaTerms, type FormulaWeights } from './formulas.js';
import type { Row } from './types.js';

/** A variant of the formula with its weights fitted to the file at hand. */
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
  /** The formula as declared, without each of its terms, and with the base bound. */
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

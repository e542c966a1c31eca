import { LOSS_SCALE } from '../../src/subjects/bundled/subject.js';
import {
  add,
  type Agreement,
  agrees,
  count,
  type Pair,
  pairs,
  type Predict,
  type PublishedChange,
  publishedChanges,
  told,
  withinTwo,
} from './agreement.js';
import {
  fitScale,
  type FormulaJudgement,
  judgeFormulas,
  leaveOneFactorOut,
  type LeftOut,
  sameFactor,
} from './fit.js';
import type { Samples } from './ladder.js';
import { measure, type MeasureOptions, type ModelRun, type ProbeParts } from './measure.js';
import { type ReachRow, planReach } from './reach.js';
import { readResults, type ResultEntry } from './results.js';
import type { Row, Unused } from './types.js';

/** Agreement on one table, or on one length of it. */
export interface Cell {
  readonly entry: string;
  /** null: the whole table. */
  readonly length: number | null;
  readonly sameFactor: Both;
  readonly anyFactor: Both;
}

export interface Both {
  readonly probe: Agreement;
  readonly formula: Agreement;
}

export interface MissedPair extends Pair {
  readonly missedBy: 'probe' | 'formulas' | 'both';
}

export interface ShortRow extends PublishedChange {
  readonly probe: number;
  readonly formula: number;
}

export interface Validation {
  readonly rowsUsed: number;
  readonly samples: Samples;
  readonly models: readonly ModelRun[];
  readonly cells: readonly Cell[];
  readonly total: { readonly sameFactor: Both; readonly anyFactor: Both };
  readonly leftOut: { readonly probe: LeftOut; readonly formula: LeftOut };
  readonly changes: Both;
  /** The value that this file would give `LOSS_SCALE`. */
  readonly lossScale: number;
  readonly formulas: FormulaJudgement;
  /** By weight of the facts' loss: agreeing pairs of the same factor, and of any factor. */
  readonly byWeight: readonly { weight: number; same: Agreement; any: Agreement }[];
  readonly short: readonly ShortRow[];
  readonly reach: readonly ReachRow[];
  readonly missed: readonly MissedPair[];
  readonly unused: readonly Unused[];
}

/** Weights of the facts' loss to try. The score itself uses 0. */
const PROBE_WEIGHTS = Object.freeze([0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2]);

export interface Predictors {
  /**
   * Judges answers by the facts and everything else by the score, without a weight between them.
   */
  readonly score: Predict;
  /** The score of a report at that length. */
  readonly loss: Predict;
  readonly byWeight: (weight: number) => Predict;
}

/**
 * Makes predictors from the probe's results. What was not measured is NaN, which `told` refuses
 * with the name of the row. A weight of 0 leaves the facts out, whether or not they were measured.
 */
export function predictors(parts: ReadonlyMap<Row, ProbeParts>): Predictors {
  const facts: Predict = (row) => parts.get(row)?.facts ?? NaN;
  const loss: Predict = (row) => {
    const part = parts.get(row);
    return part?.language ? part.language.value + part.outOfRange : NaN;
  };
  return {
    score: (row) => (row.metric === 'accuracy' ? facts(row) : loss(row)),
    loss,
    byWeight: (weight) => (row) => (weight === 0 ? loss(row) : loss(row) + weight * facts(row)),
  };
}

/** Whether a row's loss and facts were both measured, so that they can be weighed. */
function hasFacts(parts: ReadonlyMap<Row, ProbeParts>, row: Row): boolean {
  const part = parts.get(row);
  return part?.language !== undefined && part.facts !== undefined;
}

function cellsOf(list: readonly Pair[], both: (pairs: readonly Pair[]) => Both): Cell[] {
  const cell = (mine: readonly Pair[], entry: string, length: number | null): Cell => ({
    entry,
    length,
    sameFactor: both(sameFactor(mine)),
    anyFactor: both(mine),
  });
  return [...new Set(list.map((p) => p.a.entry))].flatMap((entry) => {
    const mine = list.filter((p) => p.a.entry === entry);
    const lengths = [...new Set(mine.map((p) => p.a.length))].sort((a, b) => a - b);
    const whole = cell(mine, entry, null);
    if (lengths.length === 1) return [whole];
    const at = (n: number): Pair[] => mine.filter((p) => p.a.length === n);
    return [whole, ...lengths.map((n) => cell(at(n), entry, n))];
  });
}

/** Compares the probe, formulas and chance with published results. */
export async function validate(
  entries: readonly ResultEntry[],
  options: MeasureOptions,
): Promise<Validation> {
  const { rows, unused } = readResults(entries);
  const reach = await planReach(
    rows.map((r) => r.geometry),
    options,
  );
  const { parts, models, samples } = await measure(rows, options, reach?.passes ?? []);
  const evidence = { pairs: pairs(rows), changes: publishedChanges(rows) };
  const formulas = judgeFormulas(rows, evidence);
  const { score, loss, byWeight } = predictors(parts);
  const asked = evidence.pairs.filter((p) => hasFacts(parts, p.a) && hasFacts(parts, p.b));
  const scaled =
    (scale: number): Predict =>
    (row) =>
      scale * score(row);
  const both = (list: readonly Pair[]): Both => ({
    probe: count(list, score),
    formula: count(list, formulas.predict),
  });
  const cells = cellsOf(evidence.pairs, both);
  const whole = cells.filter((c) => c.length === null);
  const sum = (kind: 'sameFactor' | 'anyFactor'): Both => ({
    probe: add(whole.map((c) => c[kind].probe)),
    formula: add(whole.map((c) => c[kind].formula)),
  });
  const total = { sameFactor: sum('sameFactor'), anyFactor: sum('anyFactor') };
  const changes: Both = {
    probe: withinTwo(evidence.changes, loss),
    formula: withinTwo(evidence.changes, formulas.predict),
  };
  return {
    rowsUsed: rows.length,
    samples,
    models,
    cells,
    total,
    leftOut: {
      probe: leaveOneFactorOut(evidence, (e) => scaled(fitScale(e.changes, loss))),
      formula: formulas.leftOut,
    },
    lossScale: LOSS_SCALE * fitScale(evidence.changes, loss),
    changes,
    formulas,
    byWeight: PROBE_WEIGHTS.map((weight) => ({
      weight,
      same: count(sameFactor(asked), byWeight(weight)),
      any: count(asked, byWeight(weight)),
    })),
    short: evidence.changes.map((change) => ({
      ...change,
      probe: told(loss, change.row),
      formula: formulas.predict(change.row),
    })),
    reach: reach?.read() ?? [],
    missed: evidence.pairs.flatMap((pair): MissedPair[] => {
      const [a, b] = [agrees(pair, score), agrees(pair, formulas.predict)];
      if (a && b) return [];
      return [{ ...pair, missedBy: a ? 'formulas' : b ? 'probe' : 'both' }];
    }),
    unused,
  };
}

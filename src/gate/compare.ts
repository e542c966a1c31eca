import { z } from 'zod';
import { option, RopeEvalError, words } from '../errors.js';
import { COMPARED, type Condition, disagreements, disagreementWords } from '../report/agreement.js';
import { IntervalSchema, type Report } from '../report/schema/report.js';
import {
  type ReportCell,
  CellIndex,
  cellName,
  type CellName,
  CellNameSchema,
  type CellPair,
  cellsOf,
  MethodSchema,
  NOISE,
  pairOf,
} from './cells.js';
import { METRICS } from './metrics.js';

/** Conditions on two reports: both are finished, of one schema, and comparable cell by cell. */
const CONDITIONS: readonly Condition<Report>[] = Object.freeze<Condition<Report>[]>([
  { what: 'status', read: (report) => report.status },
  { what: 'schema', read: (report) => `version ${report.schemaVersion.split('.')[0]}` },
  ...COMPARED,
]);

/**
 * Checks that two reports can be compared cell by cell.
 *
 * @throws RopeEvalError `not_comparable` (exit 3), which lists every difference
 */
export function assertComparable(before: Report, after: Report, path: string): void {
  for (const [name, report] of [
    ['the baseline', before],
    ['this run', after],
  ] as const) {
    if (report.status !== 'complete') {
      throw new RopeEvalError('not_comparable', {
        file: path,
        predicate: `cannot be compared: ${name} is ${report.status}`,
        hint: 'Only complete reports can be compared.',
      });
    }
  }
  const differences = disagreements(CONDITIONS, before, after);
  if (differences.length === 0) return;
  throw new RopeEvalError('not_comparable', {
    file: path,
    predicate: ['cannot be compared with this run:', ...disagreementWords(differences)],
    hint: words`Run with the same settings (${option('preset')}, ${option('seed')}, ${option('samples')}, ${option('target')}). Where rope-eval or what the weights were trained with is another one, accept this run with ${option('updateBaseline')}; for a changed config, ${option('base')} judges it against the old one.`,
  });
}

/** Version of `compare --json`. It rises whenever that of the report does, see docs/json.md. */
export const COMPARE_SCHEMA_VERSION = '2.0';

const CellSchema = z.strictObject({
  candidate: z.string(),
  cell: z.string().describe('`needle@131072`, `short.lossChange`, `reach` (a multiple).'),
  better: z.enum(['higher', 'lower']),
  before: IntervalSchema,
  after: IntervalSchema,
  change: IntervalSchema.describe('after - before.'),
  method: MethodSchema,
  clear: z.boolean().describe('The whole interval of the change lies on one side of 0.'),
});

/** A condition in which two reports differ. */
export interface Difference {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** What `compare --json` prints. */
export const ComparisonSchema = z.strictObject({
  schemaVersion: z.literal(COMPARE_SCHEMA_VERSION),
  before: z.string().describe('Path, as given.'),
  after: z.string(),
  paired: z.boolean().describe('Same config, probe model and settings: the same contexts.'),
  differences: z
    .array(z.strictObject({ what: z.string(), before: z.string(), after: z.string() }))
    .describe('Conditions in which the runs differ.'),
  cells: z.array(CellSchema).describe('Largest clear change first.'),
  onlyBefore: z.array(CellNameSchema).describe('In one report only.'),
  onlyAfter: z.array(CellNameSchema),
});

export interface ComparedCell extends CellPair {
  readonly better: 'higher' | 'lower';
  /** The whole interval of the change lies on one side of 0. */
  readonly clear: boolean;
}

export interface Comparison {
  readonly before: string;
  readonly after: string;
  /**
   * Whether config, probe and settings are the same, so that cells are measured on the same
   * contexts.
   */
  readonly paired: boolean;
  readonly differences: readonly Difference[];
  /** Largest clear change first. */
  readonly cells: readonly ComparedCell[];
  /** Cells that only one of the reports has. */
  readonly onlyBefore: readonly CellName[];
  readonly onlyAfter: readonly CellName[];
}

/**
 * Compares two saved reports side by side. Reports on different models are compared by what keeps
 * its meaning between models: changes against each report's own reference, and lengths as multiples
 * of each trained window.
 */
export function compareReports(
  before: Report,
  after: Report,
  names: { readonly before: string; readonly after: string },
): Comparison {
  const differences = disagreements(CONDITIONS, before, after).map(
    ({ what, there, here }): Difference => ({ what, before: there, after: here }),
  );
  const paired = differences.length === 0 && before.config.sha256 === after.config.sha256;
  const sameWindow = before.reference.trainedWindow === after.reference.trainedWindow;
  const was = indexed(before, sameWindow);
  const now = indexed(after, sameWindow);
  const cells = was.entries().flatMap((one) => {
    const match = now.get(one);
    return match ? [compareCells(one.value, match, one.cell)] : [];
  });
  return {
    ...names,
    paired,
    differences,
    cells: cells.sort((a, b) => Number(b.clear) - Number(a.clear) || weight(b) - weight(a)),
    onlyBefore: missingFrom(now, was),
    onlyAfter: missingFrom(was, now),
  };
}

/** Indexes cells by name. Lengths become multiples if the trained windows differ. */
function indexed(report: Report, sameWindow: boolean): CellIndex<ReportCell> {
  const window = report.reference.trainedWindow;
  const inMultiples = (tokens: number): string => `${Number((tokens / window).toFixed(3))}x`;
  const index = new CellIndex<ReportCell>();
  for (const cell of cellsOf(report)) {
    const name = cellName(cell, sameWindow ? undefined : inMultiples);
    index.set({ candidate: cell.candidate, cell: name }, cell);
  }
  return index;
}

function missingFrom(
  there: CellIndex<ReportCell>,
  here: CellIndex<ReportCell>,
): readonly CellName[] {
  return here
    .entries()
    .filter((one) => there.get(one) === undefined)
    .map(({ candidate, cell }) => ({ candidate, cell }));
}

function compareCells(before: ReportCell, after: ReportCell, cell: string): ComparedCell {
  const both = pairOf(before, after, cell);
  const { low, high } = both.change;
  const { better } = METRICS[before.metric];
  return { ...both, better, clear: low > NOISE || high < -NOISE };
}

/** The change relative to the larger value, so that nats and shares can be sorted together. */
function weight(cell: ComparedCell): number {
  const scale = Math.max(Math.abs(cell.before.value), Math.abs(cell.after.value));
  return scale === 0 ? 0 : Math.abs(cell.change.value) / Math.max(scale, 0.01);
}

import { z } from 'zod';
import { option, RopeEvalError, words } from '../errors.js';
import { isRecord, parseConfig, type ReadonlyDeep } from '../json/parse.js';
import { COMPARED, type Condition, disagreements, disagreementWords } from '../report/agreement.js';
import {
  type Interval,
  type PerContext,
  type Report,
  ReportSchema,
  upgradeReport,
} from '../report/schema/report.js';
import {
  CellIndex,
  cellName,
  type CellName,
  CellNameSchema,
  cellsOf,
  ChangeSchema,
  NOISE,
  pairOf,
  type ReportCell,
} from './cells.js';
import { type Metric, METRICS } from './metrics.js';

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
function assertComparable(before: Report, after: Report, path: string): void {
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
  ...ChangeSchema.shape,
  clear: z.boolean().describe('The whole interval of the change lies on one side of 0.'),
});

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

export type Comparison = Omit<ReadonlyDeep<z.infer<typeof ComparisonSchema>>, 'schemaVersion'>;
export type ComparedCell = Comparison['cells'][number];

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
  const differences = disagreements(CONDITIONS, before, after).map(({ what, there, here }) => ({
    what,
    before: there,
    after: here,
  }));
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

/** Rows are rounded to five decimals. A cell that differs by more does not follow from them. */
const ROUNDING = 1e-4;

/**
 * Checks that a report's data per context can be paired: the rows must be as long as their counts,
 * and the report's own cells must follow from the sums.
 *
 * @returns what is wrong, in words; undefined = nothing
 */
export function perContextDefect(report: Report): string | undefined {
  const { perContext } = report;
  if (!perContext) return undefined;
  const uneven = perContext.candidates.find((candidate) => !fits(candidate, perContext.counts));
  if (uneven) return `perContext: the rows of ${uneven.label} do not fit those of counts`;
  const odd = cellsOf(report).find(({ interval, sample }) => {
    if (!sample) return false;
    const all = Array.from({ length: sample.size }, (_, context) => context);
    return !(Math.abs(sample.at(all) - interval.value) <= ROUNDING);
  });
  return odd && `perContext: ${cellName(odd)} of ${odd.candidate} does not follow from its rows`;
}

function fits(
  { short, needle, local }: PerContext['candidates'][number],
  counts: PerContext['counts'],
): boolean {
  // A candidate that was dropped early has only the first contexts, in all of its rows.
  const facts = length(short.facts);
  const text = length(short.textLoss);
  const rows = [short, ...local].flatMap((each) => [
    { row: each.facts, size: facts },
    { row: each.copies, size: facts },
    { row: each.copyLoss, size: facts },
    { row: each.textLoss, size: text },
  ]);
  const most = length(counts.needle[0]?.[0] ?? '');
  const size = length(needle[0]?.[0] ?? '');
  return (
    rows.every(({ row, size }) => length(row) === size) &&
    facts <= Math.min(length(counts.facts), length(counts.copies)) &&
    text <= length(counts.text) &&
    needle.length === counts.needle.length &&
    needle.every((rung, r) => rung.length === counts.needle[r]!.length) &&
    size <= most &&
    needle.flat().every((row) => length(row) === size) &&
    counts.needle.flat().every((row) => length(row) === most) &&
    // There is no mean without answers.
    [counts.facts, counts.copies, counts.text].every((row) => total(row) > 0) &&
    counts.needle.every((rung) => rung.some((row) => total(row) > 0))
  );
}

function total(row: string): number {
  return row.split(' ').reduce((sum, number) => sum + Number(number), 0);
}

function length(row: string): number {
  return row.split(' ').length;
}

/** The comparison of a run with a baseline. */
export const BaselineSchema = z.strictObject({
  source: z.string(),
  cells: z.array(
    z.strictObject({
      candidate: z.string(),
      cell: z.string(),
      ...ChangeSchema.shape,
      outcome: z.enum(['same', 'improved', 'regressed', 'within-noise']),
    }),
  ),
  regressed: z.number().int(),
  /** In the baseline but not in this run; counts as regressed. */
  missing: z.array(CellNameSchema),
});

export type BaselineResult = ReadonlyDeep<z.infer<typeof BaselineSchema>>;
type PairedCell = BaselineResult['cells'][number];

/**
 * Reads a saved report of this version or an older one.
 *
 * @param judge the command that judges one config by another, for whoever gives a config
 * @throws RopeEvalError `bad_report`, and `not_comparable` (exit 3) for an unknown schema version
 */
export function parseReport(
  text: string,
  source: string,
  judge = 'rope-eval check new.json --base old.json',
): Report {
  const value = upgradeReport(parseConfig(text, { source }));
  const found = isRecord(value) ? value['schemaVersion'] : undefined;
  const parsed = ReportSchema.safeParse(value);
  if (parsed.success) {
    const defect = perContextDefect(parsed.data);
    if (defect !== undefined) throw badReport(source, defect);
    return parsed.data;
  }
  if (isConfig(value)) {
    throw badReport(
      source,
      'it is the config of a model',
      `To judge one config by another: ${judge}`,
    );
  }
  const held = reportHeld(value);
  if (held !== undefined) throw badReport(source, 'it is another output', held);
  if (found === undefined) throw badReport(source, 'it has no schemaVersion');
  const readable: readonly string[] = ReportSchema.shape.schemaVersion.options;
  if (typeof found === 'string' && !readable.includes(found)) {
    throw new RopeEvalError('not_comparable', {
      file: source,
      predicate: `has report schema ${found}, this version reads ${readable.join(' and ')}`,
      hint: 'Make the report again with this version.',
    });
  }
  const issue = parsed.error.issues[0];
  throw badReport(source, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function isConfig(value: unknown): boolean {
  if (!isRecord(value) || 'schemaVersion' in value) return false;
  return ['model_type', 'architectures', 'hidden_size'].some((key) => key in value);
}

/** Says where the report is if the file is another output of rope-eval that contains one. */
function reportHeld(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined;
  if (isRecord(value['report']))
    return 'Its report is under the key report: jq .report takes it out.';
  if (!Array.isArray(value['entries'])) return undefined;
  return 'A sweep holds a report for each config: jq .entries[0].report takes the first one out.';
}

function badReport(
  source: string,
  why: string,
  hint = 'Make one with rope-eval <config> -o report.json.',
): RopeEvalError {
  return new RopeEvalError('bad_report', {
    file: source,
    predicate: `is not a rope-eval report: ${why}`,
    hint,
  });
}

/**
 * Compares a run with a saved report cell by cell, and in pairs of contexts if both have them. A
 * cell regresses if the whole interval of its change is worse. There is no mean over cells, because
 * it would hide a single cell that breaks.
 *
 * @throws RopeEvalError `not_comparable` (exit 3)
 */
export function compareWithBaseline(
  before: Report,
  after: Report,
  source: string,
  labels?: readonly string[],
): BaselineResult {
  assertComparable(before, after, source);
  const wanted = (cell: ReportCell): boolean => labels?.includes(cell.candidate) ?? true;
  const now = new CellIndex<ReportCell>();
  for (const cell of cellsOf(after)) now.set(nameOf(cell), cell);
  const cells: PairedCell[] = [];
  const missing: CellName[] = [];
  for (const cell of cellsOf(before).filter(wanted)) {
    const name = nameOf(cell);
    const match = now.get(name);
    if (match) cells.push(pair(cell, match, name));
    else missing.push(name);
  }
  if (cells.length === 0 && missing.length === 0) {
    throw new RopeEvalError('not_comparable', {
      file: source,
      predicate: 'holds none of the candidates of this run',
      hint: words`Make a baseline of the same candidates with ${option('updateBaseline')}.`,
    });
  }
  const regressed = cells.filter((cell) => cell.outcome === 'regressed').length + missing.length;
  return { source, cells, regressed, missing };
}

function nameOf(cell: ReportCell): CellName {
  return { candidate: cell.candidate, cell: cellName(cell) };
}

function pair(before: ReportCell, after: ReportCell, { cell }: CellName): PairedCell {
  const both = pairOf(before, after, cell);
  return { ...both, outcome: outcomeOf(both.change, METRICS[before.metric].better) };
}

function outcomeOf(change: Interval, better: Metric['better']): PairedCell['outcome'] {
  if (Math.abs(change.value) <= NOISE) return 'same';
  const up = change.low > NOISE;
  const down = change.high < -NOISE;
  if (!up && !down) return 'within-noise';
  return up === (better === 'higher') ? 'improved' : 'regressed';
}

import { z } from 'zod';
import { RopeEvalError } from '../../src/errors.js';
import { dynamicAlpha } from '../../src/rope/kinds/dynamic.js';
import { LONGEST, rungOf, SHORTEST, SHORTEST_ANSWERS } from './ladder.js';
import { type NamedMethod, readMethod } from './methods.js';
import { specOf } from './specs.js';
import type { Row, Unused } from './types.js';
import { readGeometry, readMetric, readNumber, readTokens, readValue } from './values.js';

/**
 * One table in a file of published results, whose format is documented in README.md. Each field is
 * checked where it is read, so that one odd value only loses its row.
 */
const Table = z.looseObject({
  id: z.coerce.string().optional(),
  model: z.looseObject({}).optional(),
  metric: z.unknown().optional(),
  finetuned: z.unknown().optional(),
  rows: z.array(z.unknown()),
});

export type ResultTable = z.infer<typeof Table>;

/** An entry that is not a table, and what is wrong with it. */
interface Broken {
  readonly id: string;
  readonly problem: string;
}

export type ResultEntry = ResultTable | Broken;

export function isBroken(entry: ResultEntry): entry is Broken {
  return !('rows' in entry);
}

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/**
 * Parses a file of results: a list of tables, or a single one. `NaN` and `Infinity`, which Python
 * writes without quotes, are read as words.
 *
 * @throws RopeEvalError (exit 2) if the text is not JSON, or is neither a list nor a table
 */
export function parseResults(text: string, name: string): ResultEntry[] {
  const json = text.replace(/^\uFEFF/, '').replace(TOKENS, (t) => (t[0] === '"' ? t : `"${t}"`));
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new RopeEvalError('invalid_json', {
      file: name,
      problem: `is not JSON: ${(error as Error).message}`,
    });
  }
  const list = Array.isArray(value) ? value : Table.safeParse(value).success ? [value] : undefined;
  if (!list)
    throw new RopeEvalError('wrong_type', {
      file: name,
      problem: 'holds neither a list of tables nor a table',
      hint: 'tools/validation/README.md describes the form.',
    });
  return list.map((item: unknown, i) => {
    const parsed = Table.safeParse(item);
    if (parsed.success) return parsed.data;
    const problem = z.prettifyError(parsed.error).replace(/\s+/g, ' ');
    return { id: `table ${i + 1}`, problem: `not a table of results: ${problem}` };
  });
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** true, false, or undefined if it is not said. */
function yesNo(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value > 0;
  if (typeof value !== 'string') return undefined;
  if (/^(true|yes|fine-?tuned)\b/i.test(value)) return true;
  return /^(false|no|none|training-free|not)\b/i.test(value) ? false : undefined;
}

/**
 * Whether the weights were fine-tuned. A word such as "mixed" leaves it to the rows; if nothing is
 * said, they were not.
 */
function finetuned(table: ResultTable, row: Fields, params: Fields): boolean | undefined {
  const own = row['finetuned'] ?? params['finetuned'] ?? params['ft_steps'];
  if (own !== undefined && own !== null) return yesNo(own);
  const all = table.finetuned;
  return all === undefined || all === null ? false : yesNo(all);
}

const FACTOR_KEYS = ['factor', 'alpha', 'scale', 's', 'scaling_factor'];
const LARGEST_FACTOR = 1024;

/** The nominal extension; undefined = it is missing; null = the method has none. */
function factorOf(
  { method, number }: NamedMethod,
  params: Fields,
  length: number,
  window: number,
): number | null | undefined {
  const given = FACTOR_KEYS.map((key) => readNumber(params[key])).find((f) => f !== undefined);
  const factor = given ?? (method === 'theta' ? undefined : number);
  const known = factor !== undefined && factor >= 1 && factor <= LARGEST_FACTOR;
  if (method === 'none') return 1;
  if (method === 'dynamic') return dynamicAlpha(known ? factor : 1, window, length);
  if (method.startsWith('dynamic')) return Math.max(1, length / window);
  if (known) return factor;
  return method === 'theta' || method === 'longrope' ? null : undefined;
}

/**
 * What distinguishes the rows of one table besides the scaling. Rows are not compared across it.
 */
const SERIES_KEYS = ['task', 'dataset', 'corpus', 'split', 'depth'];

/** Reads one row. @returns the row, or why it cannot be used */
function readRow(table: ResultTable, id: string, row: Fields): Row | string {
  const params = isFields(row['params']) ? row['params'] : {};
  const tuned = finetuned(table, row, params);
  if (tuned) return 'fine-tuned after scaling';
  if (tuned === undefined) return 'whether it was fine-tuned is not said';
  const metricText = row['metric'] ?? table.metric;
  const metric = readMetric(metricText);
  if (metricText === undefined) return 'no metric';
  if (!metric) return `metric "${String(metricText)}" is neither perplexity, loss nor accuracy`;
  const geometry = readGeometry(isFields(row['model']) ? row['model'] : table.model);
  if (typeof geometry === 'string') return geometry;
  const name = row['method'];
  if (typeof name !== 'string') return 'no method';
  const named = readMethod(name, params['factor']);
  if (!named) return `unknown method "${name}"`;
  const length = readTokens(row['eval_length'], geometry.window);
  if (length === undefined) return 'no evaluated length';
  if (length / geometry.window > LONGEST) return `beyond ${LONGEST} windows`;
  if (length / geometry.window < SHORTEST) return `shorter than 1/${1 / SHORTEST} of the window`;
  if (metric.kind === 'accuracy' && rungOf(length, geometry.window) < SHORTEST_ANSWERS)
    return `answers are probed from 1/${1 / SHORTEST_ANSWERS} of the window on`;
  const value = readValue(row['value'], row['censored'], metric.kind);
  if (typeof value === 'string') return value;
  const factor = factorOf(named, params, length, geometry.window);
  if (factor === undefined) return `no factor from 1 to ${LARGEST_FACTOR}`;
  const theta = ['theta', 'rope_theta', 'base', 'new_base'].map((key) => readNumber(params[key]));
  const found: Row = {
    entry: id,
    series: JSON.stringify([
      id,
      metricText,
      ...SERIES_KEYS.map((k) => row[k] ?? params[k] ?? null),
    ]),
    geometry,
    metric: metric.kind,
    method: named.method,
    factor,
    params:
      named.method === 'theta'
        ? { theta: theta.find((t) => t !== undefined) ?? named.number }
        : params,
    length,
    low: value.low * metric.unit,
    high: value.high * metric.unit,
  };
  const bounds = [found.low, found.high];
  if (metric.kind === 'perplexity' && bounds.some((x) => Number.isFinite(x) && x < 1))
    return 'a perplexity is at least 1';
  return specOf(found) ? found : MISSING[named.method === 'theta' ? 'theta' : 'longrope'];
}

const MISSING = Object.freeze({
  theta: 'no theta above 1',
  longrope: 'no long_factor with one number a pair',
});

/**
 * Converts accuracies of one series to shares of 1. They are percentages if one of them exceeds
 * 1.5.
 *
 * @returns the row, or why it cannot be used
 */
function asShare(row: Row, series: readonly Row[]): Row | string {
  if (row.metric !== 'accuracy') return row;
  const finite = series.flatMap((r) => [r.low, r.high]).filter(Number.isFinite);
  const unit = finite.some((x) => x > 1.5) ? 100 : 1;
  const [low, high] = [row.low / unit, row.high / unit];
  const outside = [low, high].some((x) => Number.isFinite(x) && (x < 0 || x > 1));
  return outside ? 'not an accuracy from 0 to 1 or from 0 to 100 %' : { ...row, low, high };
}

function label(row: unknown): string {
  if (!isFields(row)) return JSON.stringify(row);
  const { method, params, eval_length: length } = row;
  return `${String(method)} ${JSON.stringify(params ?? {})} at ${String(length)}`;
}

/** Separates a file into what can be compared and what cannot, with the reasons. */
export function readResults(entries: readonly ResultEntry[]): { rows: Row[]; unused: Unused[] } {
  const rows: Row[] = [];
  const unused: Unused[] = [];
  const seen = new Map<string, number>();
  entries.forEach((table, i) => {
    const name = table.id ?? `table ${i + 1}`;
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    const id = times === 1 ? name : `${name} (${times})`;
    const skip = (row: string, reason: string) => unused.push({ entry: id, row, reason });
    if (isBroken(table)) return skip('all rows', table.problem);
    if (table.rows.length === 0) skip('no rows', 'the table is empty');
    const read = table.rows.map((r) => (isFields(r) ? readRow(table, id, r) : 'not an object'));
    const usable = read.filter((r) => typeof r !== 'string');
    read.forEach((found, k) => {
      const series = usable.filter((r) => typeof found !== 'string' && r.series === found.series);
      const row = typeof found === 'string' ? found : asShare(found, series);
      if (typeof row === 'string') skip(label(table.rows[k]), row);
      else rows.push(row);
    });
  });
  return { rows, unused };
}

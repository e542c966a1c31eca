import { createHash } from 'node:crypto';
import { RopeEvalError } from '../errors.js';
import type { ModelGeometry } from '../model/types.js';
import type { RopeTable } from '../rope/kind.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import { toBfloat16, toFloat16 } from './drift.js';

/**
 * Returns a table with its pairs in the order in which engines store them: from the fastest to the
 * slowest, unless the model's class uses another order.
 */
export function stored(
  table: RopeTable,
  { pairOrder }: Pick<ModelGeometry, 'pairOrder'>,
): RopeTable {
  const { invFreq } = table;
  if (pairOrder?.length !== invFreq.length) return table;
  return { ...table, invFreq: Float64Array.from(pairOrder, (pair) => invFreq[pair] ?? 0) };
}

/** Increased whenever the hashed bytes change. */
const FINGERPRINT_VERSION = 1;

export interface CosinePoint {
  /** In tokens. */
  readonly position: number;
  /** The mean over pairs of cos(p (ω − ω_unscaled)): 1 = the same rotation, 0 = unrelated. */
  readonly cosine: number;
}

/** The rotary table of one layer group, and its hash. */
export interface GroupFingerprint {
  readonly layerType: string;
  readonly layers: readonly number[];
  readonly ropeType: string;
  readonly rotaryDim: number;
  readonly layout: 'half' | 'interleaved';
  /** sha256, hexadecimal. */
  readonly hash: string;
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: readonly number[];
  readonly attentionScaling: number;
  readonly versusUnscaled: readonly CosinePoint[];
}

/** The tables that an engine should hold for a config. */
export interface Fingerprint {
  readonly version: typeof FINGERPRINT_VERSION;
  readonly modelType: string;
  /** The length in tokens that length-dependent tables are for; null = at construction. */
  readonly sequenceLength: number | null;
  readonly groups: readonly GroupFingerprint[];
}

/**
 * Hashes a rotary table: sha256 over little-endian float32 numbers, the inverse frequencies
 * followed by the attention scaling. float32 is what engines hold, and it hides the last bits, in
 * which mathematics libraries differ.
 */
export function hashTable({ invFreq, attentionScaling }: RopeTable): string {
  const bytes = new DataView(new ArrayBuffer(4 * (invFreq.length + 1)));
  invFreq.forEach((frequency, pair) => bytes.setFloat32(4 * pair, frequency, true));
  bytes.setFloat32(4 * invFreq.length, attentionScaling, true);
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Computes what an engine that reads this config should hold, per layer type.
 *
 * @param sequenceLength tokens, for tables that depend on it; undefined = at construction
 * @param specs another scaling, parallel to `model.groups`; default: the config's
 */
export function fingerprintData(
  model: ModelGeometry,
  {
    sequenceLength,
    specs,
  }: { readonly sequenceLength?: number; readonly specs?: readonly RopeSpec[] } = {},
): Fingerprint {
  return {
    version: FINGERPRINT_VERSION,
    modelType: model.modelType,
    sequenceLength: sequenceLength ?? null,
    groups: model.groups.map((group, index) => {
      const spec = specs?.[index] ?? group.rope;
      const table = stored(computeRope(spec, sequenceLength), model);
      const unscaled = stored(computeRope(group.unscaled, sequenceLength), model);
      return {
        layerType: group.layerType,
        layers: group.layers,
        ropeType: spec.type,
        rotaryDim: spec.rotaryDim,
        layout: model.layout,
        hash: hashTable(table),
        invFreq: Array.from(table.invFreq),
        attentionScaling: table.attentionScaling,
        versusUnscaled: cosineByPosition(table, unscaled, model.maxPositions),
      };
    }),
  };
}

/** Compares a table with the unscaled one at the powers of four below `upTo`, and at `upTo`. */
function cosineByPosition(table: RopeTable, unscaled: RopeTable, upTo: number): CosinePoint[] {
  const positions: number[] = [];
  for (let position = 1; position < upTo; position *= 4) positions.push(position);
  positions.push(upTo);
  return positions.map((position) => {
    let sum = 0;
    table.invFreq.forEach((frequency, pair) => {
      sum += Math.cos(position * (frequency - (unscaled.invFreq[pair] ?? 0)));
    });
    return { position, cosine: sum / table.invFreq.length };
  });
}

/** The keys of a dump; docs/fingerprint.md gives the shapes. */
const DUMP_KEYS = Object.freeze(['inv_freq', 'cos', 'sin', 'cos_sin_cache'] as const);

export type DumpKey = (typeof DUMP_KEYS)[number];

/** Numbers dumped from an engine. */
export interface EngineDump {
  readonly key: DumpKey;
  /** Row-major if the engine holds one row per position. */
  readonly values: readonly number[];
}

/** The largest table worth sending has 1 M rows of 64 pairs; more is a mistake. */
const MAX_VALUES = 1 << 26;
const MAX_DEPTH = 8;

/**
 * Reads a dump such as `{"inv_freq": [...]}`. Nested lists (batch, heads, positions) are flattened
 * row by row.
 *
 * @throws RopeEvalError `dump`, exit code 2
 */
export function parseDump(json: unknown): EngineDump {
  const keys = DUMP_KEYS.join(', ');
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new RopeEvalError('dump', { problem: `a dump is an object with one of ${keys}` });
  }
  const entries = Object.entries(json).filter(([key]) => isDumpKey(key));
  const entry = entries[0];
  if (entry === undefined || entries.length > 1) {
    const found = Object.keys(json).slice(0, 8).join(', ') || 'nothing';
    throw new RopeEvalError('dump', {
      problem: `a dump has exactly one of ${keys}; found ${found}`,
    });
  }
  const values: number[] = [];
  flatten(entry[1], entry[0], 0, values);
  if (values.length === 0)
    throw new RopeEvalError('dump', { path: entry[0], predicate: 'is empty' });
  return { key: entry[0] as DumpKey, values };
}

function isDumpKey(key: string): boolean {
  return (DUMP_KEYS as readonly string[]).includes(key);
}

function flatten(value: unknown, path: string, depth: number, into: number[]): void {
  if (Array.isArray(value) && depth < MAX_DEPTH) {
    value.forEach((item, index) => flatten(item, `${path}[${index}]`, depth + 1, into));
    return;
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new RopeEvalError('dump', { path, predicate: 'is not a finite number' });
  }
  if (into.length >= MAX_VALUES) {
    throw new RopeEvalError('dump', { path, problem: `more than ${MAX_VALUES} numbers` });
  }
  into.push(value);
}

/** How a dump is compared with a table. */
export interface DiffOptions {
  /** The last position that matters, in tokens. */
  readonly upTo: number;
  /**
   * For `inv_freq`, in radians. For cosines and sines, a difference of value, which is at most the
   * difference of the angle times the attention scaling.
   */
  readonly tolerance?: number;
  /** The table without the scaling, to find out whether the engine ignored it. */
  readonly unscaled?: RopeTable;
  /** The position of the first row of `cos`, `sin` and `cos_sin_cache`; default 0. */
  readonly firstPosition?: number;
}

/** Allows for float32 rounding of angles and bfloat16 rounding of a table's values. */
export const DIFF_TOLERANCE = 0.02;

/** The result of comparing a dump with a table. */
export interface FingerprintDiff {
  readonly key: EngineDump['key'];
  /** Whether no difference is above the tolerance up to `upTo`, or in the rows given. */
  readonly same: boolean;
  readonly tolerance: number;
  readonly upTo: number;
  readonly compared: number;
  /** The first position at which the angles differ by more than the tolerance. */
  readonly partsFrom: number | null;
  /** The largest difference: for `inv_freq` relative to the expected frequency, else absolute. */
  readonly worst: {
    readonly pair: number;
    /** null for `inv_freq`, which applies to every position. */
    readonly position: number | null;
    readonly expected: number;
    readonly found: number;
    readonly difference: number;
  };
  /** How the rows of cosines and sines were read; null for `inv_freq`. */
  readonly arrangement: Arrangement | null;
  /** The attention scaling that the dump shows (cosine at position 0); null if it shows none. */
  readonly attentionScaling: { readonly expected: number; readonly found: number } | null;
  /** A simple explanation that fits every number, if the tables differ at all. */
  readonly looksLike: 'unscaled' | 'bfloat16 frequencies' | 'float16 frequencies' | null;
}

/** How a row is laid out: once per pair, twice as halves or neighbours, or cosines then sines. */
export type Arrangement = 'pairs' | 'halves' | 'neighbours' | 'cosines then sines';

/** Returns the pair of a column, and whether the column holds its sine. */
type Column = (column: number, pairs: number) => { pair: number; sine: boolean };

/** The layouts that engines use: the width of a row in pairs, and the meaning of its columns. */
const ARRANGEMENTS: Readonly<Record<Arrangement, { widthInPairs: number; column: Column }>> =
  Object.freeze({
    pairs: { widthInPairs: 1, column: (column) => ({ pair: column, sine: false }) },
    halves: { widthInPairs: 2, column: (column, pairs) => ({ pair: column % pairs, sine: false }) },
    neighbours: { widthInPairs: 2, column: (column) => ({ pair: column >> 1, sine: false }) },
    'cosines then sines': {
      widthInPairs: 2,
      column: (column, pairs) => ({ pair: column % pairs, sine: column >= pairs }),
    },
  });

/**
 * Compares rows of cosines or sines, one row per position. A dump does not tell its arrangement, so
 * the best match among those that fit its length is used; a wrong guess can never make a correct
 * table look wrong.
 */
export function diffRows(
  table: RopeTable,
  dump: EngineDump,
  { upTo, tolerance = DIFF_TOLERANCE, unscaled, firstPosition = 0 }: DiffOptions,
): FingerprintDiff {
  const pairs = table.invFreq.length;
  const possible: readonly Arrangement[] =
    dump.key === 'cos_sin_cache' ? ['cosines then sines'] : ['pairs', 'halves', 'neighbours'];
  const fitting = possible.filter(
    (name) => dump.values.length % (ARRANGEMENTS[name].widthInPairs * pairs) === 0,
  );
  const compare = (against: RopeTable): Compared[] =>
    fitting.map((name) => compareRows(against, dump, name, firstPosition, tolerance));
  const best = closest(compare(table));
  if (best === undefined) {
    throw new RopeEvalError('dump', {
      path: dump.key,
      predicate: `has ${dump.values.length} numbers, which is no whole number of rows of ${pairs} or ${2 * pairs}`,
    });
  }
  const same = best.partsFrom === null || best.partsFrom > upTo;
  const other = same || unscaled === undefined ? undefined : closest(compare(unscaled));
  return {
    key: dump.key,
    same,
    tolerance,
    upTo,
    compared: dump.values.length,
    partsFrom: same ? null : best.partsFrom,
    worst: best.worst,
    arrangement: best.arrangement,
    attentionScaling:
      dump.key === 'sin' || firstPosition !== 0
        ? null
        : { expected: table.attentionScaling, found: dump.values[0] ?? 0 },
    looksLike: other !== undefined && other.partsFrom === null ? 'unscaled' : null,
  };
}

interface Compared {
  readonly arrangement: Arrangement;
  readonly partsFrom: number | null;
  readonly worst: FingerprintDiff['worst'];
}

function compareRows(
  { invFreq, attentionScaling }: RopeTable,
  { key, values }: EngineDump,
  arrangement: Arrangement,
  firstPosition: number,
  tolerance: number,
): Compared {
  const { widthInPairs, column } = ARRANGEMENTS[arrangement];
  const width = widthInPairs * invFreq.length;
  let partsFrom: number | null = null;
  let worst = { pair: 0, position: firstPosition, expected: 0, found: 0, difference: -1 };
  values.forEach((found, index) => {
    const position = firstPosition + Math.floor(index / width);
    const { pair, sine } = column(index % width, invFreq.length);
    const angle = position * (invFreq[pair] ?? 0);
    const expected = attentionScaling * (sine || key === 'sin' ? Math.sin(angle) : Math.cos(angle));
    const difference = Math.abs(found - expected);
    if (difference > worst.difference) worst = { pair, position, expected, found, difference };
    if (difference > tolerance) partsFrom ??= position;
  });
  return { arrangement, partsFrom, worst };
}

function closest(results: readonly Compared[]): Compared | undefined {
  return results.reduce<Compared | undefined>(
    (best, next) =>
      best === undefined || next.worst.difference < best.worst.difference ? next : best,
    undefined,
  );
}

/** The float32 powers of different libraries vary by this much, relatively. */
const FLOAT32_ROUNDING = 1e-6;

/** Compares inverse frequencies. Their differences become angles that grow with the position. */
export function diffFrequencies(
  { invFreq }: RopeTable,
  { key, values }: EngineDump,
  { upTo, tolerance = DIFF_TOLERANCE, unscaled }: DiffOptions,
): FingerprintDiff {
  if (values.length !== invFreq.length) {
    throw new RopeEvalError('dump', {
      path: key,
      predicate: `has ${values.length} numbers; this table has ${invFreq.length}, one per pair`,
      hint: 'Dump the buffer of one layer, for the layer type that is compared.',
    });
  }
  let largest = 0;
  let worst = { pair: 0, position: null, expected: 0, found: 0, difference: -1 };
  invFreq.forEach((expected, pair) => {
    const found = values[pair] ?? 0;
    const gap = Math.abs(found - expected);
    const difference = expected > 0 ? gap / expected : gap;
    if (difference > FLOAT32_ROUNDING) largest = Math.max(largest, gap);
    if (difference > worst.difference)
      worst = { pair, position: null, expected, found, difference };
  });
  // At position p the angles differ by p * |Δω|.
  const parts = largest > 0 ? Math.floor(tolerance / largest) + 1 : null;
  const partsFrom = parts !== null && parts <= upTo ? parts : null;
  return {
    key,
    same: partsFrom === null,
    tolerance,
    upTo,
    compared: values.length,
    partsFrom,
    worst,
    arrangement: null,
    attentionScaling: null,
    looksLike: explain(values, invFreq, unscaled),
  };
}

/** Tries the simple explanations in order; null if the tables agree or none fits. */
function explain(
  values: readonly number[],
  invFreq: Float64Array,
  unscaled: RopeTable | undefined,
): FingerprintDiff['looksLike'] {
  const fits = (expected: (pair: number) => number): boolean =>
    values.every((found, pair) => {
      const want = expected(pair);
      return Math.abs(found - want) <= FLOAT32_ROUNDING * Math.abs(want);
    });
  const frequency = (pair: number): number => invFreq[pair] ?? 0;
  if (fits(frequency)) return null;
  if (unscaled !== undefined && fits((pair) => unscaled.invFreq[pair] ?? 0)) return 'unscaled';
  if (fits((pair) => toBfloat16(frequency(pair)))) return 'bfloat16 frequencies';
  if (fits((pair) => toFloat16(frequency(pair)))) return 'float16 frequencies';
  return null;
}

/**
 * Compares a rotary table with numbers dumped from an engine.
 *
 * @throws RopeEvalError `dump`, exit code 2, if the number of values does not fit the table
 */
export function diffFingerprint(
  table: RopeTable,
  dump: EngineDump,
  options: DiffOptions,
): FingerprintDiff {
  return dump.key === 'inv_freq'
    ? diffFrequencies(table, dump, options)
    : diffRows(table, dump, options);
}

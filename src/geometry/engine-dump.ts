import { RopeEvalError } from '../errors.js';

/** What a dump may hold; the shapes are in docs/fingerprint.md. */
const DUMP_KEYS = Object.freeze(['inv_freq', 'cos', 'sin', 'cos_sin_cache'] as const);

export type DumpKey = (typeof DUMP_KEYS)[number];

/** Numbers taken out of an engine. */
export interface EngineDump {
  readonly key: DumpKey;
  /** Row-major where the engine holds rows of positions. */
  readonly values: readonly number[];
}

/** 1 M rows of 64 pairs is the largest table that is worth sending; more is a mistake. */
const MAX_VALUES = 1 << 26;
const MAX_DEPTH = 8;

/**
 * Reads `{"inv_freq": [...]}`. Nested lists (batch, heads, positions) are flattened row by row.
 *
 * @throws RopeEvalError with exit code 2
 */
export function parseDump(json: unknown): EngineDump {
  const keys = DUMP_KEYS.join(', ');
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new RopeEvalError(`a dump is an object with one of ${keys}`, 2, 'dump');
  }
  const entries = Object.entries(json).filter(([key]) => isDumpKey(key));
  const entry = entries[0];
  if (entry === undefined || entries.length > 1) {
    const found = Object.keys(json).slice(0, 8).join(', ') || 'nothing';
    throw new RopeEvalError(`a dump has exactly one of ${keys}; found ${found}`, 2, 'dump');
  }
  const values: number[] = [];
  flatten(entry[1], entry[0], 0, values);
  if (values.length === 0) throw new RopeEvalError(`${entry[0]} is empty`, 2, 'dump', entry[0]);
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
    throw new RopeEvalError(`${path} is not a finite number`, 2, 'dump', path);
  }
  if (into.length >= MAX_VALUES) {
    throw new RopeEvalError(`${path}: more than ${MAX_VALUES} numbers`, 2, 'dump', path);
  }
  into.push(value);
}

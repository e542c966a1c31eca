import { BOUNDS, fail, isRecord, show, type UnknownRecord } from './parse.js';

/** The range in which a number has a meaning, and the error kind on each side of it. */
export interface NumberRule {
  /** Exclusive lower bound: a value at or below it has no meaning (`invalid_value`). */
  readonly above?: number;
  /** Inclusive lower bound (`invalid_value`). */
  readonly min?: number;
  /** Inclusive upper bound, from `BOUNDS` (`out_of_range`). */
  readonly max: number;
}

const above0 = (max: number): NumberRule => Object.freeze({ above: 0, max });

/** Rules for numbers above 0, by what they count or measure. */
export const POSITIVE = Object.freeze({
  tokens: above0(BOUNDS.positions),
  layers: above0(BOUNDS.layers),
  heads: above0(BOUNDS.heads),
  headDim: above0(BOUNDS.headDim),
  width: above0(BOUNDS.width),
  scale: above0(BOUNDS.scale),
});

/** Gives typed access to an untrusted JSON object. Every error names the path of its key. */
export class Fields {
  /**
   * @param seen paths of the keys that were read, shared by all parts of one document; a key that
   *   is missing from it was read by nobody
   */
  constructor(
    readonly record: UnknownRecord,
    readonly path: string,
    readonly seen: Set<string> = new Set(),
  ) {}

  /** Returns another record of the same document, such as one assembled from its parts. */
  beside(record: UnknownRecord, path: string): Fields {
    return new Fields(record, path, this.seen);
  }

  /** Returns the path of a key, e.g. `rope_scaling.factor`. */
  at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  /** Whether the key exists, even if its value is null. */
  has(key: string): boolean {
    return Object.hasOwn(this.record, key);
  }

  /** Returns the unchecked value; undefined if the key is absent. */
  raw(key: string): unknown {
    this.seen.add(this.at(key));
    return this.has(key) ? this.record[key] : undefined;
  }

  /** Whether the key exists and its value is not null. */
  given(key: string): boolean {
    const value = this.raw(key);
    return value !== undefined && value !== null;
  }

  /** Reads a number; undefined if the key is absent. A null is an error. */
  number(key: string, rule: NumberRule): number | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    return checkNumber(value, this.at(key), rule);
  }

  /** Like `number`, but null counts as absent. */
  nullableNumber(key: string, rule: NumberRule): number | undefined {
    return this.given(key) ? this.number(key, rule) : undefined;
  }

  /** Reads a whole number; undefined if the key is absent. */
  integer(key: string, rule: NumberRule): number | undefined {
    const value = this.number(key, rule);
    if (value !== undefined && !Number.isInteger(value)) {
      fail('wrong_type', this.at(key), `must be a whole number, found ${show(value)}`);
    }
    return value;
  }

  /** Like `integer`, but null counts as absent. */
  nullableInteger(key: string, rule: NumberRule): number | undefined {
    return this.given(key) ? this.integer(key, rule) : undefined;
  }

  /** Reads a string; undefined if the key is absent or null. */
  nullableString(key: string): string | undefined {
    if (!this.given(key)) return undefined;
    const value = this.raw(key);
    if (typeof value !== 'string') {
      fail('wrong_type', this.at(key), `must be a string, found ${show(value)}`);
    }
    return value;
  }

  /** Reads a boolean; undefined if the key is absent or null. */
  nullableBoolean(key: string): boolean | undefined {
    if (!this.given(key)) return undefined;
    const value = this.raw(key);
    if (typeof value !== 'boolean') {
      fail('wrong_type', this.at(key), `must be true or false, found ${show(value)}`);
    }
    return value;
  }

  /** Reads a list; undefined if the key is absent or null. */
  nullableList(key: string): readonly unknown[] | undefined {
    if (!this.given(key)) return undefined;
    const value = this.raw(key);
    if (!Array.isArray(value)) {
      fail('wrong_type', this.at(key), `must be a list, found ${show(value)}`);
    }
    return value;
  }

  /** Reads a nested object; undefined if the key is absent or null. */
  nullableFields(key: string): Fields | undefined {
    if (!this.given(key)) return undefined;
    const value = this.raw(key);
    if (!isRecord(value)) {
      fail('wrong_type', this.at(key), `must be an object, found ${show(value)}`);
    }
    return this.beside(value, this.at(key));
  }
}

/** Checks one number. A number in quotes and a boolean both have the wrong type. */
export function checkNumber(value: unknown, path: string, rule: NumberRule): number {
  if (typeof value !== 'number') {
    fail('wrong_type', path, `must be a number, found ${show(value)}`);
  }
  if (!Number.isFinite(value)) {
    fail('invalid_value', path, `must be a finite number, found ${show(value)}`);
  }
  if (rule.above !== undefined && value <= rule.above) {
    fail('invalid_value', path, `must be above ${rule.above}, found ${show(value)}`);
  }
  if (rule.min !== undefined && value < rule.min) {
    fail('invalid_value', path, `must be at least ${rule.min}, found ${show(value)}`);
  }
  if (value > rule.max) {
    fail('out_of_range', path, `must be at most ${rule.max}, found ${show(value)}`);
  }
  return value;
}

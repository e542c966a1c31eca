import { BOUNDS } from './bounds.js';
import { type DuplicateKey, duplicateKeys } from './duplicate-keys.js';
import { fail, show } from './fail.js';
import { locateJsonProblem } from './json-error.js';

/** A JSON object whose keys nobody has checked yet. Read it with `Object.hasOwn` only. */
export type UnknownRecord = Readonly<Record<string, unknown>>;

export interface ParseOptions {
  /** Name of the file in messages; `-` for standard input. */
  readonly source?: string;
}

/**
 * Reads the text of a config.json. A byte order mark is dropped; of a key written twice the last
 * one counts, as in Python; `__proto__` is a key like any other.
 *
 * @throws RopeEvalError `invalid_json` with line and column, `too_large`, `too_deep`, or
 *   `wrong_type` where the file does not hold an object
 */
export function parseConfig(text: string, options: ParseOptions = {}): UnknownRecord {
  const name = options.source === undefined || options.source === '-' ? 'config' : options.source;
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (json.length > BOUNDS.textLength) {
    fail('too_large', '', `${name} has ${json.length} characters; ${BOUNDS.textLength} are read`);
  }
  checkDepth(json, name);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    const { line, column, problem } = locateJsonProblem(json);
    fail('invalid_json', '', `${name} is not JSON: line ${line}, column ${column}: ${problem}`);
  }
  if (!isRecord(value)) {
    fail('wrong_type', '', `${name} must hold a JSON object, found ${show(value)}`);
  }
  const repeated = duplicateKeys(json);
  if (repeated.length > 0) REPEATED.set(value, repeated);
  return value;
}

/** What a parsed object cannot tell of the text that it came from. */
const REPEATED = new WeakMap<UnknownRecord, readonly DuplicateKey[]>();

/** Keys that the text of a config has twice; none for an object that was not parsed here. */
export function repeatedKeys(config: UnknownRecord): readonly DuplicateKey[] {
  return REPEATED.get(config) ?? [];
}

/** A JSON object: not null, not a list. */
export function isRecord(value: unknown): value is UnknownRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Counts brackets outside strings before anything recursive sees the value. */
function checkDepth(json: string, name: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (inString) {
      if (c === 92) i++;
      else if (c === 34) inString = false;
    } else if (c === 34) inString = true;
    else if (c === 123 || c === 91) {
      if (++depth > BOUNDS.depth) {
        fail('too_deep', '', `${name} nests more than ${BOUNDS.depth} levels deep`);
      }
    } else if (c === 125 || c === 93) depth--;
  }
}

import { type ErrorKind, RopeEvalError } from '../errors.js';

/** Limits on numbers and structure from an untrusted file, each with its reason. */
export const BOUNDS = Object.freeze({
  /** Configs are a few kilobytes, and DeciLM's, the longest, is below 200 kB. */
  configLength: 1024 * 1024,
  /** Saved reports, results and dumps, which grow with candidates and lengths. */
  textLength: 8 * 1024 * 1024,
  /** Objects and lists in one file. The longest saved report has a tenth of this. */
  containers: 100_000,
  /** Published configs nest 6 levels deep. Deeper recursion could overflow the stack. */
  depth: 64,
  /** Four times the widest published head (512). Every table and plot costs time for each pair. */
  headDim: 2048,
  /** A thousand times the width of any model, and products stay exact in a double. */
  width: 2 ** 24,
  heads: 65_536,
  /** Eight times the deepest published model (126). Lists with one entry per layer are built. */
  layers: 1024,
  /** Published models have up to four layer types. Each of them costs a table. */
  layerTypes: 16,
  /** 2^40 tokens: positions and their products with frequencies stay exact in a double. */
  positions: 2 ** 40,
  /** The largest finite float32, because transformers computes the power in float32. */
  theta: 3.4028234663852886e38,
  /** An extension beyond a million-fold leaves no frequency in float32's useful range. */
  factor: 1e6,
  /** Of attention scalings and temperatures. Beyond it, the softmax saturates. */
  scale: 1e4,
});

/**
 * Throws an error about a config.
 *
 * @param path the key at fault, e.g. `rope_scaling.factor`; '' for the whole file
 * @throws RopeEvalError always, with the exit code of its kind
 */
export function fail(kind: ErrorKind, path: string, problem: string, hint = ''): never {
  throw new RopeEvalError(kind, { path, problem, hint });
}

/** Renders a value for a message: short and on one line. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Enough to show what happened; a machine-made file could repeat any number of keys. */
const MAX_REPORTED = 20;

const KEY_TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},:]/g;

/**
 * Finds keys that are written twice in one object. JSON.parse and Python silently keep the last
 * value, so editing the first one has no effect.
 *
 * @param json a text that JSON.parse accepts
 * @returns their paths, as in findings
 */
function duplicateKeys(json: string): readonly string[] {
  const found: string[] = [];
  // There is one entry per open bracket. A list has no keys.
  const open: { readonly keys: Set<string> | undefined; key: string; index: number }[] = [];
  let text = '';
  KEY_TOKEN.lastIndex = 0;
  for (let match = KEY_TOKEN.exec(json); match !== null; match = KEY_TOKEN.exec(json)) {
    const [token] = match;
    const inside = open.at(-1);
    if (token === '{') open.push({ keys: new Set(), key: '', index: 0 });
    else if (token === '[') open.push({ keys: undefined, key: '', index: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && inside !== undefined) inside.index++;
    else if (token === ':' && inside?.keys !== undefined) {
      inside.key = text;
      if (inside.keys.has(text)) {
        if (found.length < MAX_REPORTED) found.push(pathOf(open));
      } else inside.keys.add(text);
    } else if (token.startsWith('"')) text = JSON.parse(token) as string;
  }
  return found;
}

function pathOf(
  open: readonly { keys: Set<string> | undefined; key: string; index: number }[],
): string {
  return open
    .map(({ keys, key, index }) => (keys === undefined ? `[${index}]` : `.${key}`))
    .join('')
    .slice(1);
}

/** Where and why a text stops being JSON. Line and column count from 1. */
interface JsonProblem {
  readonly line: number;
  readonly column: number;
  readonly problem: string;
}

const JSON_TOKEN =
  /[ \t\n\r]*(?:("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))|(true|false|null|NaN|-?Infinity)(?!\w)|([[\]{},:]))/y;
const SPACE = /[ \t\n\r]*/y;

type Expect =
  'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

/**
 * Finds the first place where a text stops being JSON. JavaScript engines word this differently and
 * often give no position, but people need a line and a column.
 */
function locateJsonProblem(text: string): JsonProblem {
  const closers: string[] = [];
  let expect: Expect = 'value';
  let offset = 0;
  for (;;) {
    JSON_TOKEN.lastIndex = offset;
    const match = JSON_TOKEN.exec(text);
    const start = skipSpace(text, offset);
    if (match === null) return problemAt(text, start, wording(text, start, expect));
    const [whole, string, , , mark] = match;
    const token = mark ?? (string === undefined ? 'number or word' : 'string');
    const next = step(expect, token, closers);
    if (next === undefined) return problemAt(text, start, wording(text, start, expect));
    expect = next;
    offset += whole.length;
  }
}

/**
 * Returns the state after a token; undefined if the token is not allowed.
 *
 * @param token a mark, such as `{`, or what kind of value it is
 */
function step(expect: Expect, token: string, closers: string[]): Expect | undefined {
  const afterValue = (): Expect => (closers.length === 0 ? 'nothing' : 'comma-or-end');
  const mayEnd = expect === 'value-or-end' || expect === 'key-or-end' || expect === 'comma-or-end';
  if (mayEnd && token === closers.at(-1)) {
    closers.pop();
    return afterValue();
  }
  switch (expect) {
    case 'value':
    case 'value-or-end':
      if (token === '{') return (closers.push('}'), 'key-or-end');
      if (token === '[') return (closers.push(']'), 'value-or-end');
      return token === 'string' || token === 'number or word' ? afterValue() : undefined;
    case 'key':
    case 'key-or-end':
      return token === 'string' ? 'colon' : undefined;
    case 'colon':
      return token === ':' ? 'value' : undefined;
    case 'comma-or-end':
      if (token !== ',') return undefined;
      return closers.at(-1) === '}' ? 'key' : 'value';
    case 'nothing':
      return undefined;
  }
}

function wording(text: string, offset: number, expect: Expect): string {
  if (offset >= text.length) {
    return expect === 'value' ? 'the text is empty or ends too early' : 'the text ends too early';
  }
  const found = JSON.stringify(text[offset]);
  if (expect === 'key' && text[offset] === '}') return 'a comma before } is not allowed';
  if (expect === 'value' && text[offset] === ']') return 'a comma before ] is not allowed';
  switch (expect) {
    case 'key':
    case 'key-or-end':
      return `found ${found} where a key in double quotes belongs`;
    case 'colon':
      return `found ${found} where a colon belongs`;
    case 'comma-or-end':
      return `found ${found} where a comma or the end belongs`;
    case 'nothing':
      return `found ${found} after the end of the value`;
    default:
      return `found ${found} where a value belongs`;
  }
}

function skipSpace(text: string, offset: number): number {
  SPACE.lastIndex = offset;
  return offset + (SPACE.exec(text)?.[0].length ?? 0);
}

function problemAt(text: string, offset: number, problem: string): JsonProblem {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1, problem };
}

/**
 * A JSON object whose keys are still unchecked. Read it only after `Object.hasOwn`, because an
 * inherited property such as `constructor` is not a key.
 */
export type UnknownRecord = Readonly<Record<string, unknown>>;

export interface ParseOptions {
  /** Name of the file in messages; `-` for standard input. */
  readonly source?: string;
  /** The most characters that are read; default: the limit for any document. */
  readonly maxLength?: number;
}

/**
 * Parses the text of a JSON object. It accepts what Python's json module accepts: a byte order mark
 * is dropped, the last of two equal keys wins, and `NaN` and `Infinity` become numbers, which later
 * checks refuse where they need a finite one. `__proto__` is a key like any other.
 *
 * @throws RopeEvalError `invalid_json` with line and column, `too_large`, `too_deep`, or
 *   `wrong_type` if the text does not hold an object
 */
export function parseConfig(text: string, options: ParseOptions = {}): UnknownRecord {
  const name = options.source === undefined || options.source === '-' ? 'config' : options.source;
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const { maxLength = BOUNDS.textLength } = options;
  if (json.length > maxLength) {
    fail('too_large', '', `${name} has ${json.length} characters; ${maxLength} are read`);
  }
  checkShape(json, name);
  const value = parseText(json) ?? parseText(withoutPythonNumbers(json), reviveNan);
  if (value === undefined) {
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

function parseText(json: string, revive?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(json, revive);
  } catch {
    return undefined;
  }
}

/** Stands for NaN, which JSON has no way to write. */
const NAN_TEXT = '\u0000NaN';

/** JSON.parse reads a number beyond the range of a double as Infinity. */
const PYTHON_NUMBERS: Readonly<Record<string, string>> = Object.freeze({
  NaN: JSON.stringify(NAN_TEXT),
  Infinity: '1e999',
  '-Infinity': '-1e999',
});

function withoutPythonNumbers(json: string): string {
  return json.replace(
    /"(?:[^"\\]|\\.)*"|(?<![\w.])(?:NaN|-?Infinity)(?!\w)/g,
    (found) => (Object.hasOwn(PYTHON_NUMBERS, found) ? PYTHON_NUMBERS[found] : undefined) ?? found,
  );
}

function reviveNan(_key: string, value: unknown): unknown {
  return value === NAN_TEXT ? Number.NaN : value;
}

/** The duplicate keys of each parsed object, which the object itself no longer shows. */
const REPEATED = new WeakMap<UnknownRecord, readonly string[]>();

/** The paths of keys that a config's text has twice; none for an object not parsed here. */
export function repeatedKeys(config: UnknownRecord): readonly string[] {
  return REPEATED.get(config) ?? [];
}

/** Whether a value is a JSON object, that is neither null nor a list. */
export function isRecord(value: unknown): value is UnknownRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the value of a key, or undefined if the value is not an object with that key. */
export function own(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce(own, value);
}

/** Copies an object with the value at a path replaced, or removed if it is undefined. */
export function withValueAt(
  record: UnknownRecord,
  [key = '', ...rest]: readonly string[],
  value: unknown,
): UnknownRecord {
  const inner = own(record, key);
  const next = rest.length === 0 ? value : withValueAt(isRecord(inner) ? inner : {}, rest, value);
  // The key keeps its place, and `__proto__` is a key like any other.
  return defined(Object.fromEntries([...Object.entries(record), [key, next]]));
}

/** The same object with a key missing where its value may be undefined. */
type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Copies an object without its undefined values, so that a spread of it overrides nothing. */
export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}

/** Whether a key occurs anywhere in a value, at any depth and inside lists. */
export function holdsKey(value: unknown, key: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Object.hasOwn(value, key) || Object.values(value).some((inner) => holdsKey(inner, key)))
  );
}

/**
 * Checks how deep the text nests before anything recurses over it, and how many objects and lists
 * it has, since each costs time. It counts brackets outside strings.
 */
function checkShape(json: string, name: string): void {
  let depth = 0;
  let containers = 0;
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
      if (++containers > BOUNDS.containers) {
        fail('too_large', '', `${name} has more than ${BOUNDS.containers} objects and lists`);
      }
    } else if (c === 125 || c === 93) depth--;
  }
}

/** A document type without the mutability that zod infers. */
export type ReadonlyDeep<T> = T extends readonly (infer E)[]
  ? readonly ReadonlyDeep<E>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> }
    : T;

/** Whether two values are equal, in any order of keys; undefined counts as absent. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameValue(own(a, key), own(b, key)));
}

/** Where and why a text is not JSON. */
export interface JsonProblem {
  readonly line: number;
  readonly column: number;
  readonly problem: string;
}

const TOKEN =
  /[ \t\n\r]*(?:("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))|(true|false|null)(?!\w)|([[\]{},:]))/y;
const PYTHON_NUMBER = /-?(?:NaN|Infinity)/y;
const SPACE = /[ \t\n\r]*/y;

type Expect =
  'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

/**
 * Finds the first place where a text stops being JSON. JavaScript engines word this differently and
 * often give no position; people need a line and a column.
 */
export function locateJsonProblem(text: string): JsonProblem {
  const closers: string[] = [];
  let expect: Expect = 'value';
  let offset = 0;
  for (;;) {
    TOKEN.lastIndex = offset;
    const match = TOKEN.exec(text);
    const start = skipSpace(text, offset);
    if (match === null) return at(text, start, wording(text, start, expect));
    const [whole, string, number, word, mark] = match;
    const isValue = number !== undefined || word !== undefined || string !== undefined;
    const next = step(expect, isValue, string !== undefined, mark, closers);
    if (next === undefined) return at(text, start, wording(text, start, expect));
    expect = next;
    offset += whole.length;
  }
}

/** The state after a token, or undefined where the token is not allowed. */
function step(
  expect: Expect,
  isValue: boolean,
  isString: boolean,
  mark: string | undefined,
  closers: string[],
): Expect | undefined {
  const afterValue = (): Expect => (closers.length === 0 ? 'nothing' : 'comma-or-end');
  const mayEnd = expect === 'value-or-end' || expect === 'key-or-end' || expect === 'comma-or-end';
  if (mayEnd && mark !== undefined && mark === closers.at(-1)) {
    closers.pop();
    return afterValue();
  }
  switch (expect) {
    case 'value':
    case 'value-or-end':
      if (isValue) return afterValue();
      if (mark === '{') return (closers.push('}'), 'key-or-end');
      if (mark === '[') return (closers.push(']'), 'value-or-end');
      return undefined;
    case 'key':
    case 'key-or-end':
      return isString ? 'colon' : undefined;
    case 'colon':
      return mark === ':' ? 'value' : undefined;
    case 'comma-or-end':
      if (mark !== ',') return undefined;
      return closers.at(-1) === '}' ? 'key' : 'value';
    case 'nothing':
      return undefined;
  }
}

function wording(text: string, offset: number, expect: Expect): string {
  PYTHON_NUMBER.lastIndex = offset;
  const python = PYTHON_NUMBER.exec(text);
  if (python !== null) {
    return `${python[0]} is not JSON, although Python writes and reads it; write a number or null`;
  }
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

function at(text: string, offset: number, problem: string): JsonProblem {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1, problem };
}

import { z } from 'zod';
import { EXIT, RopeEvalError } from '../errors.js';

/**
 * One table of a file of published results; the form is documented in docs/validation.md. What a
 * field may hold is decided where it is read, so that one odd value costs its row and no more.
 */
const Table = z.looseObject({
  id: z.coerce.string().optional(),
  model: z.looseObject({}).optional(),
  metric: z.unknown().optional(),
  finetuned: z.unknown().optional(),
  rows: z.array(z.unknown()),
});

export type ResultTable = z.infer<typeof Table>;

/** What stands where a table should, and what is wrong with it. */
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
 * Reads a file of results: a list of tables, or a single one. `NaN` and `Infinity`, which Python
 * writes bare, are read as the words.
 *
 * @throws RopeEvalError exit 2 where the text is not JSON, or is neither a list nor a table
 */
export function parseResults(text: string, name: string): ResultEntry[] {
  const json = text.replace(/^\uFEFF/, '').replace(TOKENS, (t) => (t[0] === '"' ? t : `"${t}"`));
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new RopeEvalError(
      `${name} is not JSON: ${(error as Error).message}`,
      EXIT.usage,
      'invalid_json',
    );
  }
  const list = Array.isArray(value) ? value : Table.safeParse(value).success ? [value] : undefined;
  if (!list)
    throw new RopeEvalError(
      `${name} holds neither a list of tables nor a table`,
      EXIT.usage,
      'wrong_type',
      '',
      'docs/validation.md describes the form.',
    );
  return list.map((item: unknown, i) => {
    const parsed = Table.safeParse(item);
    if (parsed.success) return parsed.data;
    const problem = z.prettifyError(parsed.error).replace(/\s+/g, ' ');
    return { id: `table ${i + 1}`, problem: `not a table of results: ${problem}` };
  });
}

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { EXIT, RopeEvalError } from '../../src/errors.js';
import { parseResults } from './results.js';
import { validate } from './run.js';
import { renderValidation } from './text.js';

// npm run validate [-- --results FILE --threads N --seed N --member NAME --write DOCUMENT]

const BEGIN = '<!-- printed by npm run validate -->';
const END = '<!-- end of what it printed -->';

const OPTIONS = {
  results: { type: 'string', default: 'fixtures/published/results.json' },
  threads: { type: 'string', default: String(Math.min(8, availableParallelism())) },
  seed: { type: 'string', default: '1' },
  member: { type: 'string' },
  write: { type: 'string' },
} as const;

/** @throws RopeEvalError exit 2 where the text is no whole number above 0 */
function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RopeEvalError(`--${name} must be a whole number above 0, found "${text}"`);
}

/** A document, cut where the print stands between its marks. */
function aroundMarks(path: string): { before: string; after: string } {
  const document = readFileSync(path, 'utf8');
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from)
    throw new RopeEvalError(`${path} has no place between "${BEGIN}" and "${END}"`);
  return { before: document.slice(0, from), after: document.slice(to) };
}

/** Reads, runs, prints; `--write` puts the print between the marks of a document too. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const place = values.write === undefined ? undefined : aroundMarks(values.write);
  const started = Date.now();
  const text = renderValidation(
    await validate(parseResults(readFileSync(values.results, 'utf8'), values.results), {
      threads: count('threads', values.threads),
      seed: count('seed', values.seed),
      ...(values.member ? { member: values.member } : {}),
      log: (line) => console.error(line),
    }),
  );
  console.log(text);
  console.error(`${((Date.now() - started) / 1000).toFixed(0)} s`);
  if (!place || values.write === undefined) return;
  writeFileSync(
    values.write,
    `${place.before}${BEGIN}\n\n\`\`\`\n${text}\n\`\`\`\n\n${place.after}`,
  );
}

main().catch((error: unknown) => {
  // Files and options have a code; anything else is a defect, and its stack helps.
  const known = error instanceof RopeEvalError || (error instanceof Error && 'code' in error);
  console.error(known ? `error: ${error.message}` : error);
  process.exitCode = error instanceof RopeEvalError ? error.exitCode : EXIT.usage;
});

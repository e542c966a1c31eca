import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { EXIT, RopeEvalError } from '../../src/errors.js';
import { parseResults } from './results.js';
import { validate } from './run.js';
import { renderValidation } from './text.js';

// npm run validate [-- --results FILE --jobs N --seed N --member NAME --budget N|none]

const OPTIONS = {
  results: { type: 'string', default: 'fixtures/published/results.json' },
  jobs: { type: 'string', default: String(Math.min(8, availableParallelism())) },
  seed: { type: 'string', default: '1' },
  member: { type: 'string' },
  /**
   * Cost limit of the contexts beyond the window, in million weighted tokens. 10 take three minutes
   * on two cores.
   */
  budget: { type: 'string', default: '10' },
} as const;

/** @throws RopeEvalError (exit 2) unless the text is a whole number above 0 */
function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RopeEvalError('usage', {
    problem: `--${name} must be a whole number above 0, found "${text}"`,
  });
}

/** Seconds between two lines of progress, if a line cannot overwrite the one before. */
const EVERY = 15;

/** Prints how much is done, and about how long the rest will take. */
function progress(started: number): (share: number, label: string) => void {
  const { isTTY } = process.stderr;
  let next = isTTY ? 1 : EVERY;
  return (share, label) => {
    const seconds = (Date.now() - started) / 1000;
    if (seconds < next || share <= 0) return;
    next = seconds + (isTTY ? 1 : EVERY);
    const left = (seconds / share) * (1 - share);
    const line = `${(100 * share).toFixed(0)} %, about ${left.toFixed(0)} s left: ${label}`;
    process.stderr.write(isTTY ? `\r\u001b[K${line}` : `${line}\n`);
    if (isTTY && share >= 1) process.stderr.write('\r\u001b[K');
  };
}

/** Reads the file, runs the validation and prints it. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const started = Date.now();
  const text = renderValidation(
    await validate(parseResults(readFileSync(values.results, 'utf8'), values.results), {
      jobs: count('jobs', values.jobs),
      seed: count('seed', values.seed),
      ...(values.member ? { member: values.member } : {}),
      budget: values.budget === 'none' ? Infinity : 1e6 * count('budget', values.budget),
      log: (line) => console.error(line),
      onProgress: progress(started),
    }),
  );
  console.log(text);
  console.error(`${((Date.now() - started) / 1000).toFixed(0)} s`);
}

main().catch((error: unknown) => {
  // Errors in files and options have a code. Anything else is a bug, for which the stack is useful.
  const known = error instanceof RopeEvalError || (error instanceof Error && 'code' in error);
  console.error(known ? `error: ${error.message}` : error);
  process.exitCode = error instanceof RopeEvalError ? error.exitCode : EXIT.usage;
});

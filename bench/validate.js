#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { EXIT, RopeEvalError } from '../src/errors.js';
import { parseResults } from '../tools/validation/results.js';
import { validate } from '../tools/validation/run.js';
import { renderValidation } from '../tools/validation/text.js';

// npm run validate [-- --results FILE --threads N --seed N --member NAME --write DOCUMENT]

const BEGIN = '<!-- printed by npm run validate -->';
const END = '<!-- end of what it printed -->';

/** Reads, runs, prints; `--write` puts the print between the marks of a document too. */
async function main() {
  const { values } = parseArgs({
    options: {
      results: { type: 'string', default: 'fixtures/published/results.json' },
      threads: { type: 'string', default: String(Math.min(8, availableParallelism())) },
      seed: { type: 'string', default: '1' },
      member: { type: 'string' },
      write: { type: 'string' },
    },
  });
  const count = (name) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value > 0) return value;
    throw new RopeEvalError(`--${name} must be a whole number above 0, found "${values[name]}"`);
  };
  const document = values.write && readFileSync(values.write, 'utf8');
  const [from, to] = document ? [document.indexOf(BEGIN), document.indexOf(END)] : [];
  if (document && (from < 0 || to < from))
    throw new RopeEvalError(`${values.write} has no place between "${BEGIN}" and "${END}"`);
  const started = Date.now();
  const text = renderValidation(
    await validate(parseResults(readFileSync(values.results, 'utf8'), values.results), {
      threads: count('threads'),
      seed: count('seed'),
      ...(values.member ? { member: values.member } : {}),
      log: (line) => console.error(line),
    }),
  );
  console.log(text);
  console.error(`${((Date.now() - started) / 1000).toFixed(0)} s`);
  if (document) {
    const block = `${BEGIN}\n\n\`\`\`\n${text}\n\`\`\`\n\n`;
    writeFileSync(values.write, document.slice(0, from) + block + document.slice(to));
  }
}

main().catch((error) => {
  // Files and options have a code; anything else is a defect, and its stack helps.
  const known = error instanceof RopeEvalError || typeof error.code === 'string';
  console.error(known ? `error: ${error.message}` : error);
  process.exitCode = error instanceof RopeEvalError ? error.exitCode : EXIT.usage;
});

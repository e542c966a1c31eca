#!/usr/bin/env node
// npm run validate [-- --results FILE --threads N --seed N --member NAME]
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ResultsSchema } from '../dist/validation/results.js';
import { validate } from '../dist/validation/run.js';
import { renderValidation } from '../dist/validation/text.js';

const { values } = parseArgs({
  options: {
    results: { type: 'string', default: 'fixtures/published/results.json' },
    threads: { type: 'string', default: String(Math.min(8, availableParallelism())) },
    seed: { type: 'string', default: '1' },
    member: { type: 'string' },
  },
});

let text;
try {
  text = readFileSync(values.results, 'utf8');
} catch (error) {
  console.error(`error: cannot read ${values.results}: ${error.message}`);
  process.exit(2);
}
const parsed = ResultsSchema.safeParse(JSON.parse(text));
if (!parsed.success) {
  console.error(
    `error: ${values.results} is not a file of results\n${z.prettifyError(parsed.error)}`,
  );
  process.exit(2);
}
const result = await validate(parsed.data, {
  threads: Number(values.threads),
  seed: Number(values.seed),
  ...(values.member ? { member: values.member } : {}),
  log: (line) => console.error(line),
});
console.log(renderValidation(result));

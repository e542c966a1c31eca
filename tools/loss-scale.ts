/*
 * tsx tools/loss-scale.ts: fits the factor that converts the probe's nats to a real model's
 * (docs/method.md, "Nats") to the calibration tables, and writes it into the source.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseResults } from './validation/results.js';
import { validate } from './validation/run.js';

const SOURCE = 'src/subjects/bundled/subject.ts';
const TABLES = 'fixtures/published/results.json';
const LINE = /^export const LOSS_SCALE = [\d.]+;$/m;

const { lossScale } = await validate(parseResults(readFileSync(TABLES, 'utf8'), TABLES), {
  jobs: Math.min(8, availableParallelism()),
  seed: 1,
  budget: 10e6,
  log: (line) => console.error(line),
});
const source = readFileSync(SOURCE, 'utf8');
if (!LINE.test(source)) throw new Error(`${SOURCE} declares no LOSS_SCALE`);
const line = `export const LOSS_SCALE = ${Number(lossScale.toFixed(1))};`;
writeFileSync(SOURCE, source.replace(LINE, line));
console.log(`${line} (fitted: ${lossScale.toFixed(3)})`);

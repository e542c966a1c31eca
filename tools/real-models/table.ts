import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { RealCost, RealModel } from '../../src/report/real-models.js';
import type { CostFamily } from '../../src/rope/kind.js';
import { publishedChanges, told } from '../validation/agreement.js';
import { measure } from '../validation/measure.js';
import { parseResults, readResults } from '../validation/results.js';
import { predictors } from '../validation/run.js';

// npx tsx tools/real-models/table.ts: writes src/report/data/real-models.json from the tables in
// SOURCES and the probe's results for the same scalings. It must be run again after the probe
// models are retrained.

const SOURCES = [
  {
    file: 'fixtures/published/results.json',
    table: 'yarn-v3-t5-trainingfree-llama7b-proofpile',
    name: 'LLaMA-7B',
    parameters: 6.7e9,
    source: 'Peng et al. 2023, YaRN, arXiv:2309.00071v3, Table 5',
  },
  {
    file: 'fixtures/measured/smollm2-135m.json',
    table: 'smollm2-135m-instruct-q4_1',
    name: 'SmolLM2-135M-Instruct, 4-bit weights',
    parameters: 1.35e8,
    source: 'measured, tools/real-models/gguf_llama.py',
  },
];

const OUT = new URL('../../src/report/data/real-models.json', import.meta.url);
const FAMILIES: readonly string[] = ['linear', 'ntk', 'by-parts', 'yarn'] satisfies CostFamily[];
const isFamily = (method: string): method is CostFamily => FAMILIES.includes(method);
const round = (x: number): number => Number(x.toPrecision(3));

const models: RealModel[] = [];
for (const { file, table, name, parameters, source } of SOURCES) {
  const { rows } = readResults(parseResults(readFileSync(file, 'utf8'), file));
  const mine = rows.filter((row) => row.entry === table);
  // A lower bound is not a cost, and neither is a loss beyond the window.
  const changes = publishedChanges(mine).filter((change) => !change.bound);
  const needed = mine.filter((row) => row.length <= row.geometry.window);
  const { parts } = await measure(needed, {
    jobs: Math.min(8, availableParallelism()),
    seed: 1,
    budget: Infinity,
    log: (line) => console.error(`${name}: ${line}`),
  });
  const { loss } = predictors(parts);
  const costs = changes.flatMap(({ row, nats }): RealCost[] => {
    const { method, factor } = row;
    if (!isFamily(method) || factor === null) return [];
    return [{ family: method, factor, nats: round(nats), probe: round(told(loss, row)) }];
  });
  models.push({ name, parameters, trainedWindow: mine[0]!.geometry.window, source, costs });
}
models.sort((a, b) => b.parameters - a.parameters);
writeFileSync(OUT, `${JSON.stringify(models, null, 2)}\n`);

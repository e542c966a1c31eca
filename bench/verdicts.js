#!/usr/bin/env node
// node bench/verdicts.js [--threads 2] [--preset standard]: counts how many verdicts the contexts
// of a preset leave open, how many of these further contexts decide, and whether other contexts
// (another seed) contradict a verdict.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { evaluate } from '../dist/index.js';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    preset: { type: 'string', default: 'standard' },
  },
});
const SEEDS = [1, 2, 3];
const REACHES = ['reaches', 'reaches-at-a-cost'];
const MISSES = ['falls-short', 'fails-short'];

const verdicts = new Map(); // Maps a candidate of a config at a target to the verdict of each seed.
const count = { all: 0, more: 0, open: 0 };
for (const model of ['Llama-2-7b-hf', 'Qwen2.5-7B-Instruct', 'Meta-Llama-3-8B-Instruct']) {
  const config = readFileSync(`configs/${model}.json`, 'utf8');
  const window = JSON.parse(config).max_position_embeddings;
  for (const factor of [2, 4, 8])
    for (const seed of SEEDS) {
      const { candidates } = await evaluate(config, {
        target: factor * window,
        preset: values.preset,
        seed,
        threads: Number(values.threads),
      });
      for (const { label, verdict, longContexts, role } of candidates) {
        if (role === 'reference') continue;
        count.all++;
        if (longContexts) count.more++;
        if (verdict === 'unclear') count.open++;
        const key = `${model} ${factor}x ${label}`;
        verdicts.set(key, [...(verdicts.get(key) ?? []), verdict]);
      }
      process.stderr.write(`${model} ${factor}x seed ${seed}\n`);
    }
}

const contrary = [...verdicts].filter(
  ([, of]) => of.some((v) => REACHES.includes(v)) && of.some((v) => MISSES.includes(v)),
);
console.log(`${count.all} verdicts (${verdicts.size} candidates, seeds ${SEEDS.join(', ')})
${count.more} open with the preset's own contexts
${count.open} still open with four times as many
${contrary.length} candidates of which one seed says that it reaches, another that it does not`);
for (const [key, of] of contrary) console.log(`  ${key}: ${of.join(', ')}`);

#!/usr/bin/env node
// node bench/runs.js [--threads 2] [FACTOR …]: measures three models at 2x, 4x and 8x, or at these
// factors, for the tables of docs/runs.md.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { evaluate } from '../dist/index.js';

const { values, positionals } = parseArgs({
  options: { threads: { type: 'string', default: '2' } },
  allowPositionals: true,
});
const MODELS = ['Llama-2-7b-hf', 'Qwen2.5-7B-Instruct', 'Meta-Llama-3-8B-Instruct'];
const FACTORS = positionals.length > 0 ? positionals.map(Number) : [2, 4, 8];

const signed = (x, digits) => `${x > 0 ? '+' : ''}${x.toFixed(digits)}`.replace('-', '−');
const range = ({ value, low, high }) =>
  `${signed(value, 3)} (${signed(low, 3)} … ${signed(high, 3)})`;
const percent = (x) => `${Math.round(100 * x)} %`;

for (const model of MODELS) {
  const config = readFileSync(new URL(`../configs/${model}.json`, import.meta.url), 'utf8');
  console.log(`### ${model}\n`);
  for (const factor of FACTORS) {
    const window = JSON.parse(config).max_position_embeddings;
    const report = await evaluate(config, {
      target: factor * window,
      threads: Number(values.threads),
      device: 'cpu',
    });
    const { subject, target, recommendation } = report;
    const tokens = target.tokens.toLocaleString('en');
    console.log(
      `${factor}x, ${tokens} tokens, on ${subject.name}: ${recommendation.code} ${recommendation.candidate}\n`,
    );
    console.log(
      '| candidate | short loss, nats | facts at 1x | at the target | reach | loss at the target | verdict |\n' +
        '| --- | ---: | ---: | ---: | ---: | ---: | --- |',
    );
    for (const row of report.candidates) {
      const [first, last] = [row.needle[0], row.needle.at(-1)];
      const { multiple, low, high, censored } = row.reach;
      const reach = `${censored ? '≥ ' : ''}${multiple}x (${low} … ${high}x)`;
      const cells = [
        row.label,
        row.role === 'reference' ? '' : range(row.short.lossChange),
        percent(first.accuracy.value),
        percent(last.accuracy.value),
        reach,
        signed(last.lossChange.value, 2),
        row.verdict,
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
    console.log('');
  }
}

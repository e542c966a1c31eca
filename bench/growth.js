#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseCandidates } from '../dist/candidates/definition.js';
import { evaluate } from '../dist/evaluate.js';

// node bench/growth.js [--threads 2 --rounds 3]: prints how the cost grows with length, samples and
// candidates. Each run is a separate process; figures are the best of interleaved rounds, as ratios
// to the first of each group.

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    one: { type: 'string' },
  },
});
const MODEL = 'configs/Qwen2.5-7B-Instruct.json';
const WINDOW = 32768;

if (values.one) {
  const { candidates, multiple, samples } = JSON.parse(values.one);
  const { timings } = await evaluate(readFileSync(MODEL, 'utf8'), {
    preset: 'quick',
    candidates: parseCandidates(candidates),
    target: multiple * WINDOW,
    samples,
    threads: Number(values.threads),
    device: 'cpu',
    worker: false,
  });
  const mebibytes = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ ms: timings.totalMs, tokens: timings.tokens, mebibytes }));
} else {
  const many = [
    'yarn:4',
    'linear:4',
    'ntk:4',
    'by-parts:4',
    'llama3:4',
    'yarn:3',
    'ntk:3',
    'theta:4e6',
  ];
  const base = { candidates: 'yarn:4', multiple: 4, samples: 6 };
  const groups = {
    'target, window multiples': [2, 4, 8, 16, 32].map((multiple) => [
      `${multiple}x`,
      { ...base, candidates: `yarn:${multiple}`, multiple },
    ]),
    'long contexts (--samples)': [6, 12, 24].map((samples) => [samples, { ...base, samples }]),
    candidates: [1, 2, 4, 8].map((n) => [n, { ...base, candidates: many.slice(0, n).join(',') }]),
  };
  const runs = Object.values(groups).flat();
  const seen = runs.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [i, [, options]] of runs.entries()) {
      const args = [
        import.meta.filename,
        '--threads',
        values.threads,
        '--one',
        JSON.stringify(options),
      ];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      seen[i].push(JSON.parse(stdout));
    }
  console.log(
    `${MODEL}, quick preset, ${values.threads} threads, best of ${values.rounds} interleaved rounds\n`,
  );
  console.log(
    '| | seconds | ratio | probe tokens | ratio | peak memory |\n|:--|--:|--:|--:|--:|--:|',
  );
  let at = 0;
  for (const [name, list] of Object.entries(groups)) {
    const found = list.map(() => seen[at++]);
    const ms = found.map((rounds) => Math.min(...rounds.map((r) => r.ms)));
    const tokens = found.map(([first]) => first.tokens);
    list.forEach(([label], i) => {
      const memory = Math.max(...found[i].map((r) => r.mebibytes));
      console.log(
        `| ${name}: ${label} | ${(ms[i] / 1000).toFixed(2)} | ${(ms[i] / ms[0]).toFixed(2)} | ${tokens[i]} | ` +
          `${(tokens[i] / tokens[0]).toFixed(2)} | ${memory.toFixed(0)} MiB |`,
      );
    });
  }
}

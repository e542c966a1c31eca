#!/usr/bin/env node
// node bench/runs.js [--threads 2] > runs.txt: the tables of docs/runs.md, as the command prints them.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { threads: { type: 'string', default: '2' } } });
const models = ['Llama-2-7b-hf', 'Qwen2.5-7B-Instruct', 'Meta-Llama-3-8B-Instruct'];

for (const model of models)
  for (const factor of [2, 4, 8]) {
    const args = [`configs/${model}.json`, '--factor', String(factor), '--threads', values.threads];
    const { stdout, status } = spawnSync(
      process.execPath,
      ['bin/rope-eval.js', ...args, '--no-plots'],
      {
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(`${model} ${factor}x: exit ${status}`);
    const end = stdout.indexOf('Exact: from the config alone');
    console.log(`### ${model}, ${factor}x\n\n\`\`\`\n$ rope-eval ${args.join(' ')}\n`);
    console.log(`${stdout.slice(0, end).trimEnd()}\n\`\`\`\n`);
  }

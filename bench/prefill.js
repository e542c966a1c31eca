#!/usr/bin/env node
import { argv, cpuUsage, resourceUsage } from 'node:process';
import { createInterface } from 'node:readline';
import { rotaryValues } from '../dist/subjects/onnx/rotary.js';
import { DecoderSession } from '../dist/subjects/onnx/session.js';

// A worker of bench/prefill.py. It reads one number of tokens per line and answers with the seconds
// and the peak of memory. The edited graph receives a table, as in a run.

const [, , file, threads, longest, shape] = argv;
const { layers, heads, keyHeads, headDim, theta } = JSON.parse(shape);
const positions = Number(longest);
const session = await DecoderSession.open({
  file,
  device: 'cpu',
  threads: Number(threads),
  positions,
  memory: 1024,
  flushesDenormals: true,
  scoredRows: 256,
  layers,
  heads,
  keyHeads,
  headDim,
});
const invFreq = Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
const tables = [rotaryValues(invFreq, 1, positions)];
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const { tokens } = JSON.parse(line);
  const [start, cpu] = [performance.now(), cpuUsage()];
  await session.run({ tokens, tables, rows: [tokens.length - 1], targets: [tokens[0]] });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = cpuUsage(cpu);
  const peak = resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, peak }));
}
await session.close();

#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openPool } from '../../dist/subjects/bundled/pool.js';
import { record } from '../record.js';

// node bench/cuda/differences.js [--device cuda] [--config configs/Qwen2.5-7B-Instruct.json]
// [--rounds 3]
//
// Prints the largest difference between the answers of CUDA and the CPU to the batches of the
// default command, and the seconds that the batches take on CUDA.

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    config: { type: 'string', default: 'configs/Qwen2.5-7B-Instruct.json' },
    rounds: { type: 'string', default: '3' },
  },
});
const { device } = values;

const config = readFileSync(values.config, 'utf8');
const batches = await record(config, { cutFor: device });
const tokens = batches.reduce((n, { batch }) => n + batch.tokens.length, 0);
const longest = Math.max(...batches.map(({ batch }) => batch.length));
console.log(`TF32 override ${process.env['NVIDIA_TF32_OVERRIDE'] ?? 'unset'}`);
console.log(`${batches.length} batches, ${tokens} tokens, longest context ${longest}`);

const { member } = batches[0];
const engine = await openPool({ member, device, threads: 2 }, longest);
console.log(`engine: ${JSON.stringify(engine.info)}, ${engine.lanes ?? 1} at once`);
for (let round = 0; round < Number(values.rounds); round++) {
  const answers = [];
  const start = performance.now();
  const work = batches.entries();
  const lane = async () => {
    for (const [i, { batch }] of work) answers[i] = await engine.run(batch);
  };
  await Promise.all(Array.from({ length: engine.lanes ?? 1 }, lane));
  const seconds = (performance.now() - start) / 1000;
  let [worst, sum, count, agree] = [0, 0, 0, 0];
  for (const [i, { want, correct }] of batches.entries()) {
    const got = answers[i];
    want.forEach((x, k) => {
      const difference = Math.abs(got.logProbability[k] - x);
      if (!(difference <= worst)) worst = difference;
      sum += difference;
      count++;
      agree += got.correct[k] === correct[k] ? 1 : 0;
    });
  }
  console.log(
    `round ${round + 1}: ${seconds.toFixed(2)} s, ${Math.round(tokens / seconds)} tokens/s; log-probability differs by ${worst.toExponential(1)} at most, ${(sum / count).toExponential(1)} on the mean of ${count}; same verdict on ${((100 * agree) / count).toFixed(3)} % of targets`,
  );
}
await engine.close();

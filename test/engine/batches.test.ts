import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { evaluate } from '../../src/evaluate.js';

const config = readFileSync('configs/Qwen2.5-7B-Instruct.json', 'utf8');

/** Tokens of each batch that an engine on a device is given. */
async function batchesOn(device: 'cpu' | 'cuda'): Promise<number[]> {
  const seen: number[] = [];
  const info = { device, threads: 1, graphSha256: '', weightsSha256: '', onnxruntime: '' };
  await evaluate(config, {
    preset: 'quick',
    device,
    openEngine: async () => ({
      info,
      run: async ({ batch, length, score }) => {
        seen.push(batch * length);
        return {
          logProbability: new Float32Array(batch * score).fill(-1),
          correct: new Uint8Array(batch * score),
        };
      },
      close: async () => {},
    }),
  });
  return seen;
}

it('gives a GPU more tokens at once, and the same in all', async () => {
  const [cpu, cuda] = [await batchesOn('cpu'), await batchesOn('cuda')];
  const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
  expect(sum(cuda)).toBe(sum(cpu));
  expect(Math.max(...cpu)).toBe(1024);
  expect(Math.max(...cuda)).toBeGreaterThan(4096);
  expect(Math.max(...cuda)).toBeLessThanOrEqual(8192);
});

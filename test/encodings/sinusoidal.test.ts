import { expect, it } from 'vitest';
import { sinusoidalTable } from '../../src/encodings/registry.js';

it('the sinusoidal table has sine and cosine interleaved, from one radian to 1/10000', () => {
  const table = sinusoidalTable(50, 128);
  const at = (t: number, i: number): number => table[t * 128 + i]!;
  // Vaswani et al. 2017: PE(pos, 2i) = sin(pos / 10000^(2i / d)), PE(pos, 2i + 1) its cosine.
  expect([at(0, 0), at(0, 1), at(0, 127)]).toEqual([0, 1, 1]);
  expect(at(3, 0)).toBeCloseTo(0.14112, 5);
  expect(at(3, 1)).toBeCloseTo(-0.98999, 5);
  expect(at(49, 64)).toBeCloseTo(Math.sin(0.49), 6);
  expect(at(49, 126)).toBeCloseTo(Math.sin(49 / 10_000 ** (126 / 128)), 6);
});

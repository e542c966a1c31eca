import { expect, test } from 'vitest';
import { inRangeUpTo, meanLogExcess, pairsOutOfRange } from '../../src/geometry/base-bound.js';
import { computeRope } from '../../src/rope/registry.js';
import { plain, yarn } from './models.js';

const base = computeRope(plain(1e4)).invFreq;

test('unscaled Llama 2 at 4x: the 18 pairs above the critical dimension, 4 times too far', () => {
  const outside = pairsOutOfRange(base, base, 4096, 16384);
  // Critical dimension 92 (arXiv:2310.05209): pairs 46 to 63.
  expect(outside.map(({ pair }) => pair)).toEqual(Array.from({ length: 18 }, (_, i) => 46 + i));
  for (const { excess } of outside) expect(excess).toBeCloseTo(4, 9);
});

test('the mean over all pairs of how far they leave, in ln', () => {
  expect(meanLogExcess(base, base, 4096, 16384)).toBeCloseTo((18 / 64) * Math.log(4), 9);
  expect(meanLogExcess(base, base, 4096, 4096)).toBe(0);
  expect(meanLogExcess(base, computeRope(yarn(1e4, 4, 4096)).invFreq, 4096, 16384)).toBe(0);
});

test('YaRN keeps every pair inside at its factor, and no further', () => {
  const { invFreq } = computeRope(yarn(1e4, 4, 4096));
  expect(pairsOutOfRange(base, invFreq, 4096, 16384)).toEqual([]);
  expect(pairsOutOfRange(base, invFreq, 4096, 16500).length).toBeGreaterThan(0);
  expect(inRangeUpTo(base, invFreq, 4096)).toBe(16384);
});

test('static NTK with alpha 4 leaves the first pairs outside well before 4x', () => {
  // The reason why its published reach is 3.1x: middle pairs are stretched by less than alpha.
  const { invFreq } = computeRope({ type: 'ntk', theta: 1e4, rotaryDim: 128, alpha: 4 });
  const length = inRangeUpTo(base, invFreq, 4096) ?? 0;
  expect(length).toBeGreaterThan(2 * 4096);
  expect(length).toBeLessThan(3.2 * 4096);
});

test('no pair limits a table whose pairs all completed a turn', () => {
  const fast = [1, 0.5, 0.25];
  expect(inRangeUpTo(fast, fast, 4096)).toBeNull();
  expect(pairsOutOfRange(fast, fast, 4096, 1e6)).toEqual([]);
});

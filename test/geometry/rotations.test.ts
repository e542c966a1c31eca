import { expect, test } from 'vitest';
import { highFrequencyStretch, rotations, stretch } from '../../src/geometry/spectrum.js';
import { computeRope } from '../../src/rope/registry.js';
import { plain, yarn } from './models.js';

const base = computeRope(plain(1e4)).invFreq;

test('the fastest pair of any table turns once in 2π tokens', () => {
  expect(rotations(base, 4096)[0]).toBeCloseTo(4096 / (2 * Math.PI), 9);
});

test('linear interpolation stretches every pair alike', () => {
  const { invFreq } = computeRope({ type: 'linear', theta: 1e4, rotaryDim: 128, factor: 4 });
  expect(stretch(base, invFreq).every((value) => Math.abs((value ?? 0) - 4) < 1e-9)).toBe(true);
  expect(highFrequencyStretch(base, invFreq, 4096)).toBeCloseTo(4, 9);
});

test('YaRN leaves the fast pairs alone', () => {
  const { invFreq } = computeRope(yarn(1e4, 4, 4096));
  // truncate widens the ramp to whole pairs, so the first pair below 32 turns may lie on it.
  expect(highFrequencyStretch(base, invFreq, 4096)).toBeCloseTo(1, 2);
  expect(stretch(base, invFreq).at(-1)).toBeCloseTo(4, 9);
});

test('static NTK: the fastest pair kept, the slowest divided by alpha', () => {
  // arXiv:2309.00071, equation 15 of the second version: theta' = theta * s^(d / (d - 2)).
  const { invFreq } = computeRope({ type: 'ntk', theta: 1e4, rotaryDim: 128, alpha: 4 });
  const values = stretch(base, invFreq);
  expect(values[0]).toBe(1);
  expect(values.at(-1)).toBeCloseTo(4, 9);
});

test('a pair that stands still has no stretch', () => {
  expect(stretch([1, 0.5], [0.5, 0])).toEqual([2, null]);
  expect(stretch([0], [0.5])).toEqual([null]);
});

test('no fast pair: no value', () => {
  expect(highFrequencyStretch([1e-3], [1e-3], 100)).toBeNull();
});

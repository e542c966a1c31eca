import { describe, expect, test } from 'vitest';
import { criticalDimensionOf, criticalFractionOf } from '../../src/geometry/spectrum.js';
import { computeRope } from '../../src/rope/registry.js';
import { criticalFraction } from '../../tools/validation/formulas.js';
import { llama31, plain } from './models.js';

describe('criticalFraction', () => {
  // Liu et al. 2023 (arXiv:2310.05209), the formula on published configs.
  test.each([
    ['Llama 2', 1e4, 4096, 0.296],
    ['LLaMA 1', 1e4, 2048, 0.372],
    ['Llama 3', 5e5, 8192, 0.453],
    ['Qwen2.5-7B', 1e6, 32768, 0.38],
    ['Gemma 2', 1e4, 8192, 0.221],
  ])('%s', (_, theta, window, expected) => {
    expect(criticalFraction(theta, window)).toBeCloseTo(expected, 3);
  });

  test('is negative where every pair turns', () => {
    expect(criticalFraction(1e4, 1e6)).toBeLessThan(0);
  });
});

describe('criticalDimensionOf', () => {
  const criticalDimension = (theta: number, window: number, rotaryDim: number): number =>
    criticalDimensionOf(computeRope(plain(theta, rotaryDim)).invFreq, window);

  test('92 of 128 for Llama 2, as in the paper', () => {
    expect(criticalDimension(1e4, 4096, 128)).toBe(92);
  });

  test('never beyond the rotary dimension', () => {
    expect(criticalDimension(1e4, 1e9, 128)).toBe(128);
    expect(criticalDimension(1e4, 4, 128)).toBe(0);
  });
});

describe('criticalFractionOf', () => {
  test.each([
    [1e4, 4096, 128],
    [5e5, 8192, 128],
    [1e4, 512, 64],
    [1e4, 1e6, 128],
    [1e6, 32768, 32],
  ])('equals the formula on an unscaled table: theta %d, window %d, %d dimensions', (...args) => {
    const [theta, window, rotaryDim] = args;
    const { invFreq } = computeRope(plain(theta, rotaryDim));
    expect(criticalFractionOf(invFreq, window)).toBeCloseTo(criticalFraction(theta, window), 9);
  });

  test('lies between the neighbouring pairs on a table that is no series', () => {
    const spec = llama31.groups[0]?.rope ?? plain(5e5);
    const { invFreq } = computeRope(spec);
    const turning = invFreq.filter((frequency) => (131072 * frequency) / (2 * Math.PI) >= 1).length;
    const fraction = criticalFractionOf(invFreq, 131072) ?? NaN;
    expect(turning).toBe(39);
    expect(fraction).toBeGreaterThan(1 - 39 / 64);
    expect(fraction).toBeLessThan(1 - 38 / 64);
  });

  test('leaves out pairs that stand still', () => {
    const { invFreq } = computeRope(plain(1e4));
    const withTail = [...invFreq, 0, 0, 0];
    expect(criticalFractionOf(withTail, 4096)).toBe(criticalFractionOf(invFreq, 4096));
    expect(criticalFractionOf([0, 0], 4096)).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { computeRope, lengthDependent, type RopeSpec } from '../../src/rope/registry.js';
import { errorAt } from '../helpers/errors.js';

const DYNAMIC: RopeSpec = {
  type: 'dynamic',
  theta: 10_000,
  rotaryDim: 128,
  factor: 1,
  maxPositions: 4096,
};
const LONGROPE: RopeSpec = {
  type: 'longrope',
  theta: 10_000,
  rotaryDim: 4,
  shortFactor: [1, 2],
  longFactor: [4, 8],
  originalMaxPositions: 4096,
  factor: 8,
};

describe('scalings that depend on the length', () => {
  it('are dynamic and longrope', () => {
    expect(lengthDependent(DYNAMIC)).toBe(true);
    expect(lengthDependent(LONGROPE)).toBe(true);
    expect(lengthDependent({ type: 'linear', theta: 10_000, rotaryDim: 128, factor: 2 })).toBe(
      false,
    );
  });

  it('dynamic is plain RoPE up to the maximum', () => {
    const plain = computeRope({ type: 'default', theta: 10_000, rotaryDim: 128 });
    expect(computeRope(DYNAMIC)).toEqual(plain);
    expect(computeRope(DYNAMIC, 4096)).toEqual(plain);
  });

  it('dynamic with factor 1 at n is static NTK with alpha n / W', () => {
    const ntk = computeRope({ type: 'ntk', theta: 10_000, rotaryDim: 128, alpha: 4 });
    expect(computeRope(DYNAMIC, 16_384)).toEqual(ntk);
  });

  it('longrope switches its whole table above the original window', () => {
    expect(Array.from(computeRope(LONGROPE, 4096).invFreq)).toEqual([1, 0.005]);
    expect(Array.from(computeRope(LONGROPE, 4097).invFreq)).toEqual([0.25, 0.00125]);
  });

  it('a length that is none is refused', () => {
    expect(() => computeRope(DYNAMIC, 0)).toThrow(errorAt('out_of_range'));
    expect(() => computeRope(DYNAMIC, Number.NaN)).toThrow(errorAt('out_of_range'));
  });
});

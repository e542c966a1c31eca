import { describe, expect, test } from 'vitest';
import {
  BASE_TABLE,
  firstNegativeDistance,
  requiredBase,
  supportedLength,
} from '../../src/geometry/base-bound.js';
import { computeRope } from '../../src/rope/registry.js';
import { smallestBase } from '../../tools/base-search.js';
import { plain } from './models.js';

/** The definition, term by term. */
function slowFirstNegative(invFreq: ArrayLike<number>, limit: number): number | null {
  for (let m = 0; m <= limit; m++) {
    let sum = 0;
    for (let i = 0; i < invFreq.length; i++) sum += Math.cos(m * (invFreq[i] ?? 0));
    if (sum < 0) return m;
  }
  return null;
}

describe('firstNegativeDistance', () => {
  test.each([
    [1e4, 128, 4096],
    [5e5, 64, 20000],
    [100, 16, 600],
    [2e4, 96, 100],
  ])('agrees with the sum itself: theta %d, %d dimensions, %d tokens', (theta, dim, limit) => {
    const { invFreq } = computeRope(plain(theta, dim));
    expect(firstNegativeDistance(invFreq, limit)).toBe(slowFirstNegative(invFreq, limit));
  });

  test('never looks beyond its limit', () => {
    const { invFreq } = computeRope(plain(1e4));
    const first = firstNegativeDistance(invFreq, 4096) ?? 0;
    expect(firstNegativeDistance(invFreq, first - 1)).toBeNull();
    expect(supportedLength(invFreq, first - 1)).toEqual({ tokens: first - 1, atLeast: true });
    expect(supportedLength(invFreq, first)).toEqual({ tokens: first - 1, atLeast: false });
  });
});

describe('smallest base (Men et al. 2024, arXiv:2405.14591)', () => {
  // Table 2. 2k is left out: an isolated valid base lies at 1.16e4, below the published 1.6e4.
  test.each([
    [1024, 4300],
    [4096, 27000],
    [8192, 84000],
  ])('%d tokens, 128 dimensions: the published %d within 1 %', (length, published) => {
    const found = smallestBase(length, 128, { from: published / 4 }) ?? 0;
    expect(Math.abs(found / published - 1)).toBeLessThan(0.01);
  });

  // The published grid is coarse: 16k and 1M lie within a factor 1.5, the others within 10 %.
  test.each([
    [16384, 310000, 1.5],
    [32768, 640000, 1.1],
    [65536, 2100000, 1.1],
    [131072, 7800000, 1.1],
    [262144, 36000000, 1.1],
    [524288, 64000000, 1.1],
    [1048576, 510000000, 1.5],
  ])('tabulated for %d tokens: %d within %d x', (length, published, factor) => {
    const { base } = requiredBase(length, 128) ?? { base: 0 };
    expect(Math.max(base / published, published / base)).toBeLessThan(factor);
  });

  test('depends on the rotary dimension', () => {
    // 64 dimensions need about twice as much at 1k, four times at 4k.
    expect(smallestBase(1024, 64)).toBeCloseTo(requiredBase(1024, 64)?.base ?? 0, 0);
    expect(requiredBase(4096, 64)?.base).toBeGreaterThan(3 * (requiredBase(4096, 128)?.base ?? 0));
  });

  test('gives up where no base is large enough', () => {
    expect(smallestBase(65536, 8, { to: 1e5 })).toBeNull();
  });
});

describe('the table of smallest bases', () => {
  test.each(BASE_TABLE.map(({ rotaryDim, bases }) => [rotaryDim, bases] as const))(
    '%d dimensions: each base supports its length, and none falls',
    (rotaryDim, bases) => {
      expect(bases.length).toBe(11);
      bases.slice(0, 7).forEach((base, index) => {
        const { invFreq } = computeRope(plain(base, rotaryDim));
        expect(firstNegativeDistance(invFreq, 1024 * 2 ** index)).toBeNull();
      });
      expect([...bases].sort((a, b) => a - b)).toEqual(bases);
    },
  );

  test('a length between two columns takes the longer one; beyond the last there is none', () => {
    expect(requiredBase(5000, 128)?.length).toBe(8192);
    expect(requiredBase(8192, 128)?.length).toBe(8192);
    expect(requiredBase(100, 128)?.length).toBe(1024);
    expect(requiredBase(1 << 21, 128)).toBeNull();
    expect(requiredBase(4096, 46)).toBeNull();
  });
});

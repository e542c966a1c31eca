import { describe, expect, it } from 'vitest';
import {
  heldPairs,
  probeFrequencies,
  type ProbeGeometry,
  transfer,
} from '../../src/geometry/transfer.js';
import { computeRope, type RopeSpec } from '../../src/rope/registry.js';

/** c 0.30 on 256 tokens: pair i has the spectral coordinate i / 32 / 0.70. */
const theta = Math.exp(Math.log(256 / (2 * Math.PI)) / 0.7);
const invFreq = probeFrequencies(theta, 32);
const plain: ProbeGeometry = { invFreq, window: 256 };

/** c 0.146: the slowest of its 64 pairs is at 63 / 64 / 0.854 = 1.152, and pairs 27 to 31 are slower. */
const window = 16_384;
const base: RopeSpec = { type: 'default', theta: 1e4, rotaryDim: 128 };
const reference = computeRope(base);
/** The first of them. */
const FIRST = 27;
const holding: ProbeGeometry = { ...plain, held: 32 - FIRST };

const stretchOf = (candidate: RopeSpec, windows: number, probe = holding): number[] =>
  Array.from(
    transfer(probe, reference, computeRope(candidate), window, { windows }).invFreq,
    (f, i) => invFreq[i]! / f,
  );

describe('pairs that the model does not have', () => {
  it('are counted: slower than its slowest by more than half a step', () => {
    expect(heldPairs(plain, reference, window)).toBe(32 - FIRST);
  });

  it('are none where the model has pairs as slow', () => {
    const slower = computeRope({ ...base, theta: 1e6 });
    expect(heldPairs(plain, slower, window)).toBe(0);
  });

  it('keep their trained angles at any length, the others their own stretch', () => {
    const found = stretchOf(base, 4);
    found.slice(0, FIRST).forEach((stretch) => expect(stretch).toBe(1));
    found.slice(FIRST).forEach((stretch) => expect(stretch).toBeCloseTo(4, 12));
  });

  it('are left as they are within the window, and by a probe that does not hold', () => {
    expect(stretchOf(base, 1).every((stretch) => stretch === 1)).toBe(true);
    expect(stretchOf(base, 4, plain).every((stretch) => stretch === 1)).toBe(true);
  });

  it('are not stretched twice: a scaling that keeps them in range has one table for all lengths', () => {
    const linear: RopeSpec = { ...base, type: 'linear', factor: 4 };
    expect(stretchOf(linear, 4)).toEqual(stretchOf(linear, 1));
    stretchOf(linear, 8).forEach((s, i) => expect(s).toBeCloseTo(i < FIRST ? 4 : 8, 12));
  });

  it('are none that complete a turn within the window', () => {
    // Every pair of the model turns. The probe holds its pairs with less than one turn per window,
    // and leaves the others alone.
    const all = computeRope({ ...base, theta: 100 });
    expect(heldPairs(plain, all, window)).toBe(
      Array.from(invFreq).filter((f) => f * 256 < 2 * Math.PI * (1 - 1e-9)).length,
    );
  });
});

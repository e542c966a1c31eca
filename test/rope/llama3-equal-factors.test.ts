import { expect, it } from 'vitest';
import { computeRope } from '../../src/rope/registry.js';

it('equal low and high frequency factors (Llama 4 Scout) give a step, and no 0 / 0', () => {
  // One pair turns exactly once: window 2 pi, frequency 1.
  const { invFreq } = computeRope({
    type: 'llama3',
    theta: 10_000,
    rotaryDim: 4,
    factor: 16,
    lowFreqFactor: 1,
    highFreqFactor: 1,
    originalMaxPositions: 2 * Math.PI,
  });
  expect(Array.from(invFreq)).toEqual([1 / 16, 0.01 / 16]);
});

import { expect, test } from 'vitest';
import { boundaryOf } from '../../src/geometry/base-bound.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { yarn } from './models.js';

const longrope: RopeSpec = {
  type: 'longrope',
  theta: 1e4,
  rotaryDim: 8,
  shortFactor: [1, 1, 1, 2],
  longFactor: [1, 2, 4, 40],
  originalMaxPositions: 4096,
  factor: 32,
  shortMscale: 1.1,
  longMscale: 1.32,
};

test('longrope switches its whole table one token above the original window', () => {
  const boundary = boundaryOf(longrope, 16384);
  expect(boundary?.length).toBe(4096);
  expect(boundary?.kind).toBe('switch');
  // Pair 3 goes from a divisor of 2 to one of 40.
  expect(boundary?.step.pair).toBe(3);
  expect(boundary?.step.maxFrequencyChange).toBeCloseTo(1 - 2 / 40, 9);
  expect(boundary?.step.attentionScalingRatio).toBeCloseTo(1.2, 9);
  expect(boundary?.atTarget).toEqual(boundary?.step);
});

test('dynamic NTK moves by little per token and by much up to the target', () => {
  const spec: RopeSpec = {
    type: 'dynamic',
    theta: 1e4,
    rotaryDim: 128,
    factor: 1,
    maxPositions: 4096,
  };
  const boundary = boundaryOf(spec, 16384);
  expect(boundary?.kind).toBe('recomputed');
  expect(boundary?.step.maxFrequencyChange).toBeLessThan(1e-3);
  // alpha = 4 at four times the window: the slowest pair is divided by 4.
  expect(boundary?.atTarget.pair).toBe(63);
  expect(boundary?.atTarget.maxFrequencyChange).toBeCloseTo(0.75, 6);
});

test('no boundary: a target below it, and tables that do not depend on the length', () => {
  expect(boundaryOf(longrope, 4096)).toBeNull();
  expect(boundaryOf(yarn(1e4, 4, 4096), 1e6)).toBeNull();
});

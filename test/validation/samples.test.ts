import { expect, it } from 'vitest';
import { costOfOne, samplesWithin } from '../../tools/validation/ladder.js';

const scaling = (...multiples: number[]) => ({
  spec: { type: 'linear', theta: 1e4, rotaryDim: 64, factor: 2 } as const,
  losses: multiples,
  answers: [],
});

it('the longest length decides the cost, and attention makes it grow faster than the length', () => {
  const at = (...multiples: number[]) => costOfOne([scaling(...multiples)], 256);
  expect(at(1, 2, 4)).toBe(at(4));
  expect(at(32)).toBeGreaterThan(8 * at(8));
  expect(costOfOne([scaling(4), scaling(4)], 256)).toBe(2 * at(4));
});

it('a large file has fewer contexts, never less than four', () => {
  const full = samplesWithin(1e4, 10e6);
  expect(full).toEqual({ long: 10, longText: 20 });
  expect(samplesWithin(8e5, 10e6).long).toBeLessThan(full.long);
  expect(samplesWithin(1e9, 10e6)).toEqual({ long: 2, longText: 4 });
  expect(samplesWithin(1e9, Infinity)).toEqual(full);
});

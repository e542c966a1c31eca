import { expect, it } from 'vitest';
import { ladders, rungOf } from '../../tools/validation/ladder.js';

it.each([
  [2048, 2048, 1],
  [2000, 2048, 1],
  [8000, 2048, 3.9375],
  [65536, 2048, 32],
  [512, 2048, 0.25],
  [128, 2048, 0.0625],
])('%i tokens of a window of %i are probed at %s windows', (length, window, multiple) => {
  expect(rungOf(length, window)).toBe(multiple);
});

it('powers of two share one ladder with the window', () => {
  expect(ladders([16, 4, 2, 8, 4, 0.25, 32])).toEqual([[0.25, 1, 2, 4, 8, 16, 32]]);
});

it('rungs of one ladder stand a quarter of a window apart, and every multiple has a place', () => {
  const multiples = Array.from({ length: 80 }, (_, i) => 0.25 + (i * 3) / 16);
  const found = ladders(multiples);
  for (const ladder of found) {
    expect(ladder.length).toBeLessThanOrEqual(16);
    expect(ladder.at(-1)).toBeGreaterThanOrEqual(1);
    ladder.slice(1).forEach((m, i) => expect(m - ladder[i]!).toBeGreaterThanOrEqual(0.25));
  }
  expect(found[0]).toContain(1);
  const all = found.flat();
  for (const multiple of multiples) expect(all).toContain(multiple);
});

it('a ladder that would end within the window goes on beyond it', () => {
  expect(ladders([0.9375])).toEqual([[1], [0.9375, 1.25]]);
});

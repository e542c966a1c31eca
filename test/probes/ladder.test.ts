import { describe, expect, it } from 'vitest';
import { ladder } from '../../src/probes/presets.js';

describe('ladder', () => {
  it.each([
    [1, [1]],
    [2, [1, 1.25, 1.5, 1.75, 2]],
    [4, [1, 1.5, 2, 2.5, 3, 3.5, 4]],
    [8, [1, 1.5, 2, 3, 4, 5, 6, 7, 8]],
    [32, [1, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32]],
  ])('for %dx', (target, rungs) => {
    expect(ladder(target)).toEqual(rungs);
  });

  it('always has 1x, and ends at the target', () => {
    for (const target of [1.1, 1.25, 3, 5.3, 10, 17, 31]) {
      const rungs = ladder(target);
      expect(rungs).toContain(1);
      expect(rungs.at(-1)).toBe(target);
    }
  });

  it('takes further lengths in, also below the window', () => {
    expect(ladder(2, [0.5, 1.6, 2])).toEqual([0.5, 1, 1.25, 1.5, 1.6, 1.75, 2]);
    expect(ladder(2, [0.1])).toEqual(ladder(2));
  });

  it('reads a length that is as good as another one there', () => {
    expect(ladder(2, [1.007, 0.98, 2.05])).toEqual(ladder(2));
    expect(ladder(2, [1.1, 1.12])).toEqual([1, 1.1, 1.25, 1.5, 1.75, 2]);
  });
});

import { describe, expect, it } from 'vitest';
import {
  bootstrap,
  meanInterval,
  pairedDifference,
  resamples,
  wilson,
} from '../../src/probes/measure.js';
import { Random } from '../../src/probes/random.js';
import { errorAt } from '../helpers/errors.js';

describe('wilson', () => {
  it('gives the textbook interval for independent answers', () => {
    // 8 of 10: 0.490 to 0.943 (Wilson 1927, 95 %).
    const answers = Array.from({ length: 10 }, (_, i) => ({ sum: i < 8 ? 1 : 0, count: 1 }));
    const { value, low, high } = wilson(answers);
    expect(value).toBe(0.8);
    expect(low).toBeCloseTo(0.49, 2);
    expect(high).toBeCloseTo(0.943, 2);
  });

  it('widens where the answers of a context agree with each other', () => {
    const independent = wilson(Array.from({ length: 100 }, (_, i) => ({ sum: i % 2, count: 1 })));
    const clustered = wilson(
      Array.from({ length: 10 }, (_, i) => ({ sum: (i % 2) * 10, count: 10 })),
    );
    expect(clustered.high - clustered.low).toBeGreaterThan(
      2 * (independent.high - independent.low),
    );
  });

  it('stays inside 0..1 and holds its value at the ends', () => {
    expect(wilson([{ sum: 5, count: 5 }])).toMatchObject({ value: 1, high: 1 });
    expect(wilson([{ sum: 0, count: 5 }])).toMatchObject({ value: 0, low: 0 });
    expect(() => wilson([])).toThrow(errorAt('not_measured'));
  });
});

describe('bootstrap', () => {
  const draws = resamples(40, 7);
  const noisy = Array.from({ length: 40 }, (_, i) => ({
    sum: Math.sin(i * 12.9898) * 3,
    count: 1,
  }));

  it('is the same for the same seed', () => {
    expect(resamples(40, 7)).toEqual(draws);
    expect(resamples(40, 8)).not.toEqual(draws);
  });

  it('has about the width of the normal interval', () => {
    const { value, low, high } = meanInterval(noisy, draws);
    const variance = noisy.reduce((a, c) => a + (c.sum - value) ** 2, 0) / 39;
    const half = 1.96 * Math.sqrt(variance / 40);
    expect((high - low) / 2 / half).toBeGreaterThan(0.8);
    expect((high - low) / 2 / half).toBeLessThan(1.2);
  });

  it('is far tighter for paired differences than for either side', () => {
    const shifted = noisy.map((c) => ({ sum: c.sum + 0.1, count: 1 }));
    const difference = pairedDifference(shifted, noisy, draws);
    expect(difference.value).toBeCloseTo(0.1, 10);
    expect(difference.high - difference.low).toBeLessThan(1e-9);
  });

  it.each([4, 6, 12])('holds the truth about as often as it says: %d contexts', (contexts) => {
    const draws = resamples(contexts, 1, 300);
    const runs = 1000;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const random = Random.stream(run, contexts);
      // Skewed, as losses are.
      const list = Array.from({ length: contexts }, () => ({
        sum: -Math.log(1 - random.unit()) - Math.log(1 - random.unit()),
        count: 1,
      }));
      const { low, high } = meanInterval(list, draws);
      if (low <= 2 && 2 <= high) held++;
    }
    expect(held / runs).toBeGreaterThan(0.91);
    expect(held / runs).toBeLessThan(0.98);
  });

  it('keeps differences of shares between -1 and 1', () => {
    const all = [1, 1, 1, 0].map((sum) => ({ sum, count: 1 }));
    const none = all.map(() => ({ sum: 0, count: 1 }));
    expect(pairedDifference(all, none, resamples(4, 1), 1).high).toBe(1);
    expect(pairedDifference(all, none, resamples(4, 1)).high).toBeGreaterThan(1);
  });

  it('always holds the value itself', () => {
    const { value, low, high } = bootstrap((c) => (c.length === 3 ? 5 : 0), 3, [[0], [1]]);
    expect([value, high]).toEqual([5, 5]);
    expect(low).toBeLessThanOrEqual(0);
  });
});

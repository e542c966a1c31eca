import { describe, expect, it } from 'vitest';
import {
  type BinnedFacts,
  type Cluster,
  lastRung,
  reach,
  resamples,
} from '../../src/probes/measure.js';
import { Random } from '../../src/probes/random.js';

const BINS = 5;
const RUNGS = 6;

const every = (contexts: number): number[] => Array.from({ length: contexts }, (_, c) => c);

function facts(
  contexts: number,
  answers: number,
  accuracy: (rung: number, bin: number) => number,
  random?: Random,
): BinnedFacts {
  const found = (p: number): Cluster => {
    const draws = Array.from({ length: answers }, () => (random ? random.unit() < p : p >= 0.5));
    return { sum: draws.filter(Boolean).length, count: answers };
  };
  return Array.from({ length: RUNGS }, (_, r) =>
    Array.from({ length: BINS }, (_, b) => every(contexts).map(() => found(accuracy(r, b)))),
  );
}

describe('reach', () => {
  it('ends before the first rung at which any distance is lost', () => {
    const bins = facts(20, 2, (rung, bin) => (rung === 3 && bin === 4 ? 0 : 1));
    expect(lastRung(bins, 1, every(20))).toBe(2);
    expect(reach(bins, 1, resamples(20, 1))).toEqual({ rung: 2, low: 2, high: 2 });
  });

  it('is -1 where the first rung fails', () => {
    const bins = facts(20, 2, () => 0);
    expect(reach(bins, 1, resamples(20, 1))).toEqual({ rung: -1, low: -1, high: -1 });
  });

  it.each([1, 2, 3])('knows next to nothing from %d contexts that agree', (contexts) => {
    // One answer per bin and context, all found: the resamples agree, but the truth may differ.
    const { rung, low, high } = reach(
      facts(contexts, 1, () => 1),
      1,
      resamples(contexts, 1),
    );
    expect({ rung, low, high }).toEqual({ rung: RUNGS - 1, low: -1, high: RUNGS - 1 });
  });

  it.each([2, 3, 6, 14])('holds the truth in 95 %% of runs of %d contexts', (contexts) => {
    // The last rung at which the farthest fifth keeps half: 2.
    const accuracy = (rung: number, bin: number) => 0.97 - 0.09 * rung - 0.03 * rung * bin;
    const draws = resamples(contexts, 1, 300);
    const runs = 200;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const bins = facts(contexts, 1, accuracy, Random.stream(run, contexts));
      const { low, high } = reach(bins, 1, draws);
      if (low <= 2 && 2 <= high) held++;
    }
    expect(held / runs).toBeGreaterThanOrEqual(0.95);
  });
});

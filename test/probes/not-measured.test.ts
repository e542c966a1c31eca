import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  average,
  bootstrap,
  type Cluster,
  intervalOf,
  mean,
  pairedDifference,
  reach,
  resamples,
  wilson,
} from '../../src/probes/measure.js';

const bad = fc.constantFrom(NaN, Infinity, -Infinity);
const answered = fc.record({
  sum: fc.integer({ min: 0, max: 3 }),
  count: fc.constant(3),
}) satisfies fc.Arbitrary<Cluster>;
const contexts = fc.array(answered, { minLength: 1, maxLength: 12 });
const every = (list: readonly unknown[]): number[] => list.map((_, i) => i);

/** Everything that a statistic computes. */
function statistics(list: readonly Cluster[]): number[] {
  const draws = resamples(list.length, 1, 20);
  const steady = list.map(() => ({ sum: 1, count: 3 }));
  return [
    average(list),
    mean(list, every(list)),
    ...Object.values(wilson(list)),
    ...Object.values(bootstrap((drawn) => mean(list, drawn), list.length, draws)),
    ...Object.values(pairedDifference(list, steady, draws, 1)),
  ];
}

const notMeasured = expect.objectContaining({ kind: 'not_measured', exitCode: 3 }) as Error;

describe('what was not measured', () => {
  it('gives no statistic: every value is finite or an error', () => {
    fc.assert(
      fc.property(contexts, (list) => {
        for (const value of statistics(list)) expect(Number.isFinite(value)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(contexts, bad, fc.nat(), (list, sum, at) => {
        const broken = list.with(at % list.length, { sum, count: 3 });
        for (const make of [average, wilson, (l: Cluster[]) => mean(l, every(l))])
          expect(() => make(broken)).toThrow(notMeasured);
        expect(() => statistics(broken)).toThrow(notMeasured);
      }),
    );
  });

  it('is not a mean of 0, nor a share of 0', () => {
    const none = [{ sum: 0, count: 0 }];
    expect(() => average(none)).toThrow(notMeasured);
    expect(() => mean(none, [0])).toThrow(notMeasured);
    expect(() => wilson(none)).toThrow(notMeasured);
    expect(() => average([])).toThrow(notMeasured);
    expect(() => intervalOf(0, [], 6)).toThrow(notMeasured);
  });

  it('leaves a reach open at a distance that was never asked', () => {
    const list = Array.from({ length: 12 }, () => ({ sum: 3, count: 3 }));
    const never = list.map(() => ({ sum: 0, count: 0 }));
    const bins = [
      [list, list],
      [list, never],
    ];
    expect(reach(bins, 1, resamples(12, 1))).toMatchObject({ low: 0, high: 1 });
  });

  it('has no reach where the reference found nothing at 1x', () => {
    const lost = Array.from({ length: 12 }, () => ({ sum: 0, count: 3 }));
    expect(reach([[lost], [lost]], 0, resamples(12, 1))).toEqual({ rung: -1, low: -1, high: 1 });
  });
});

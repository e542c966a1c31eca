import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectReach } from '../../src/evaluation/results.js';
import { expectedReach } from '../../src/probes/measure.js';
import type { Needle } from '../../src/report/schema/candidate.js';
import type { Reach } from '../../src/report/schema/values.js';

const rung = (multiple: number, loss: number): Needle =>
  ({ multiple, lossChange: { value: loss, low: loss, high: loss } }) as Needle;
const reach = (multiple: number): Reach => ({
  multiple,
  tokens: multiple * 2048,
  low: multiple,
  high: multiple,
  censored: false,
});

describe('expected reach', () => {
  it('is a quarter wide, around the middle of the shorter reading and the end of the angles', () => {
    const multiples = fc.double({ min: 1, max: 32, noNaN: true });
    fc.assert(
      fc.property(multiples, multiples, fc.option(multiples), (facts, loss, ended) => {
        const angles = ended ?? undefined;
        const { low, high } = expectedReach({ facts, loss, angles });
        const shorter = Math.min(facts, loss);
        const middle = Math.sqrt(shorter * (angles ?? shorter));
        expect((low + high) / 2).toBeCloseTo(middle, 9);
        expect(high - low).toBeCloseTo(middle / 4, 9);
      }),
    );
  });

  // docs/validation.md, "Reach": the probe's results for static NTK on LLaMA 1, and the published
  // ones.
  it.each([
    [1.75, 2, 1.5, 1.7],
    [3, 3.25, 2.75, 3.1],
    [3.5, 5, 4.5, 4.4],
  ])(
    'by facts %dx, loss %dx and angles %dx, it holds the published %dx',
    (facts, loss, angles, x) => {
      const { low, high } = expectedReach({ facts, loss, angles });
      expect(low).toBeLessThanOrEqual(x);
      expect(high).toBeGreaterThanOrEqual(x);
    },
  );

  const needle = [rung(0.5, 0), rung(1, 0.02), rung(2, 0.05), rung(3, 0.4), rung(4, 0.5)];
  const inside = [0, 0, 0, 0, 0];

  it('is read from losses and angles beside the facts, from 1x on', () => {
    const of = (facts: number, loss: number, angles?: number) =>
      expectedReach({ facts, loss, angles });
    expect(expectReach(reach(1), needle, inside)).toEqual(of(1, 2));
    expect(expectReach(reach(3), needle, inside)).toEqual(of(3, 2));
    expect(expectReach(reach(3), needle, [0, 0, 0.1, 0.2, 0.3])).toEqual(of(3, 2, 1));
  });

  it('has no end where the probe holds to the end of the ladder, and is not there without 1x', () => {
    const holds = [rung(1, 0.02), rung(2, 0.05)];
    expect(expectReach(reach(2), holds, [0, 0])).toMatchObject({ high: null });
    expect(expectReach(reach(1), holds, [0, 0])).toEqual(
      expectedReach({ facts: 1, loss: 2, angles: undefined }),
    );
    expect(expectReach(reach(0), needle, inside)).toBeUndefined();
    expect(expectReach(reach(2), [rung(2, 0)], [0])).toBeUndefined();
  });
});

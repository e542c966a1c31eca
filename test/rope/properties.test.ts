import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeRope, type RopeSpec } from '../../src/rope/registry.js';

const base = fc.record({
  theta: fc.double({ min: 100, max: 1e9, noNaN: true }),
  rotaryDim: fc.integer({ min: 2, max: 64 }).map((pairs) => 2 * pairs),
});
const factor = fc.double({ min: 1, max: 64, noNaN: true });
const window = fc.integer({ min: 256, max: 262_144 });

const scaled: fc.Arbitrary<RopeSpec> = fc.oneof(
  fc
    .record({ base, factor })
    .map((s) => ({ type: 'linear' as const, ...s.base, factor: s.factor })),
  fc.record({ base, factor }).map((s) => ({ type: 'ntk' as const, ...s.base, alpha: s.factor })),
  fc.record({ base, factor, window }).map((s) => ({
    type: 'dynamic' as const,
    ...s.base,
    factor: s.factor,
    maxPositions: s.window,
  })),
  fc.record({ base, factor, window, truncate: fc.boolean() }).map((s) => ({
    type: 'yarn' as const,
    ...s.base,
    factor: s.factor,
    originalMaxPositions: s.window,
    betaFast: 32,
    betaSlow: 1,
    truncate: s.truncate,
  })),
  fc
    .record({ base, factor, window, high: fc.double({ min: 1, max: 8, noNaN: true }) })
    .map((s) => ({
      type: 'llama3' as const,
      ...s.base,
      factor: s.factor,
      lowFreqFactor: 1,
      highFreqFactor: s.high,
      originalMaxPositions: s.window,
    })),
);

describe('for every scaling with a factor of at least 1', () => {
  it('no pair turns faster than the base, and none slower than the factor allows', () => {
    fc.assert(
      fc.property(scaled, (spec) => {
        const { theta, rotaryDim } = spec;
        const plain = computeRope({ type: 'default', theta, rotaryDim }).invFreq;
        const { invFreq, attentionScaling } = computeRope(spec);
        const most = 'factor' in spec ? spec.factor : 'alpha' in spec ? spec.alpha : 1;
        expect(Number.isFinite(attentionScaling)).toBe(true);
        invFreq.forEach((frequency, pair) => {
          const stretch = (plain[pair] ?? Number.NaN) / frequency;
          expect(stretch).toBeGreaterThanOrEqual(1 - 1e-9);
          expect(stretch).toBeLessThanOrEqual(most * (1 + 1e-9));
        });
      }),
    );
  });

  it('frequencies fall from pair to pair', () => {
    fc.assert(
      fc.property(scaled, (spec) => {
        const { invFreq } = computeRope(spec);
        for (let pair = 1; pair < invFreq.length; pair++) {
          expect(invFreq[pair]).toBeLessThan(invFreq[pair - 1] ?? Number.NaN);
        }
      }),
    );
  });
});

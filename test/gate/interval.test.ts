import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, samplesToDecide } from '../../src/gate/cells.js';

const at = (low: number, value: number, high: number) => ({ low, value, high });

describe('an interval against a threshold', () => {
  it('passes only if all of it satisfies the rule', () => {
    expect(judge(at(0.81, 0.85, 0.9), '>=', 0.8)).toBe('pass');
    expect(judge(at(0.79, 0.85, 0.9), '>=', 0.8)).toBe('unverifiable');
    expect(judge(at(0.6, 0.7, 0.79), '>=', 0.8)).toBe('fail');
    expect(judge(at(0.01, 0.03, 0.05), '<=', 0.05)).toBe('pass');
    expect(judge(at(0.06, 0.07, 0.08), '<=', 0.05)).toBe('fail');
  });

  it('does not turn on the last bit of a float', () => {
    expect(judge(at(0.1 + 0.2, 0.3, 0.3), '<=', 0.3)).toBe('pass');
    expect(judge(at(131_071.999_999, 131_072, 131_072), '>=', 131_072)).toBe('pass');
  });

  it('agrees with the rule turned around', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, min: -9, max: 9 }),
        fc.double({ noNaN: true, min: 0, max: 3 }),
        fc.double({ noNaN: true, min: -9, max: 9 }),
        (value, half, threshold) => {
          const found = at(value - half, value, value + half);
          const turned = { pass: 'fail', fail: 'pass', unverifiable: 'unverifiable' } as const;
          expect(judge(found, '<', threshold)).toBe(turned[judge(found, '>=', threshold)]);
          expect(judge(found, '>', threshold)).toBe(turned[judge(found, '<=', threshold)]);
        },
      ),
    );
  });
});

describe('samples that would decide', () => {
  it('grow with the square of half-width over distance', () => {
    // Half-width 0.04 at 50 contexts, threshold 0.02 away: 4 x as many.
    expect(samplesToDecide(at(0.8, 0.84, 0.88), 0.82, 50)).toBe(200);
  });

  it('use the half on the side of the threshold', () => {
    expect(samplesToDecide(at(0.83, 0.84, 0.9), 0.86, 50)).toBe(450);
  });

  it('are none where it would take more than anyone waits for', () => {
    expect(samplesToDecide(at(0.8, 0.84, 0.88), 0.83, 50)).toBe(800);
    expect(samplesToDecide(at(0.8, 0.84, 0.88), 0.832, 50)).toBeNull();
  });

  it('are none where the value stands on the threshold', () => {
    expect(samplesToDecide(at(0.8, 0.82, 0.84), 0.82, 50)).toBeNull();
    expect(samplesToDecide(at(0.7, 0.82, 0.9), 0.820_000_1, 50)).toBeNull();
  });
});

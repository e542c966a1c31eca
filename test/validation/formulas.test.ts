import { describe, expect, it } from 'vitest';
import { inRangeUpTo } from '../../src/geometry/base-bound.js';
import { computeRope } from '../../src/rope/registry.js';
import { formulaLoss, formulaTerms, termsAt } from '../../tools/validation/formulas.js';
import { specOf } from '../../tools/validation/specs.js';
import { llamaRows } from './rows.js';

const rowOf = (method: string, length: number) => llamaRows([{ method, length, value: 5 }])[0]!;
const terms = (method: string, length: number) => formulaTerms(rowOf(method, length));

/** LLaMA 1: of 64 pairs, 41 complete a turn in 2048 tokens and 17 complete 32. */
const SLOW = 64 - 41;
const FAST = 17;
const LN2 = Math.LN2;

describe('known values', () => {
  it('the unscaled model costs nothing within its window', () => {
    const t = terms('none', 2048);
    expect(t).toMatchObject({ outOfRange: 0, nearOrder: 0, spread: 0, temperature: 0 });
    expect(formulaLoss(t)).toBe(0);
  });

  it('unscaled at 2x, every slow pair is beyond its range by ln 2', () => {
    expect(terms('none', 4096).outOfRange).toBeCloseTo((SLOW / 64) * LN2, 12);
  });

  it('linear:2 stretches all pairs by 2 and stays in range at 2x', () => {
    const t = terms('linear:2', 4096);
    expect(t.outOfRange).toBe(0);
    expect(t.spread).toBeCloseTo(LN2 ** 2, 12);
    expect(t.nearOrder).toBeCloseTo((FAST / 64) * LN2 ** 2, 12);
    expect(t.temperature).toBe(1);
  });

  it('YaRN has the temperature that its stretch asks for, by-parts none of it', () => {
    expect(terms('yarn:8', 8192).temperature).toBeCloseTo(0, 9);
    expect(terms('by-parts:8', 8192).temperature).toBe(1);
    expect(terms('yarn:8', 8192).spread).toBe(terms('by-parts:8', 8192).spread);
  });

  it('YaRN leaves pairs of more than 32 turns alone', () => {
    expect(terms('yarn:4', 4096).nearOrder).toBe(0);
  });

  it('static NTK leaves its range before its nominal length', () => {
    expect(terms('ntk:4', 4096).outOfRange).toBe(0);
    expect(terms('ntk:4', 8192).outOfRange).toBeGreaterThan(0);
  });

  it('no table of positive sums has a share of negative ones', () => {
    expect(terms('none', 512).negativeSum).toBe(0);
    expect(terms('none', 65536).negativeSum).toBeGreaterThan(0);
  });
});

it('temperatures that are too high are as wrong as ones that are missing', () => {
  const row = rowOf('yarn:4', 4096);
  const with1 = (factor: number) =>
    formulaTerms({ ...row, params: { attention_factor: factor } }).temperature;
  const asked = 0.1 * Math.log(4);
  expect(with1(1 + 1.5 * asked)).toBeCloseTo(0.5, 9);
  expect(with1(1 + 0.5 * asked)).toBeCloseTo(0.5, 9);
});

it.each([
  ['ntk:2', 1.57],
  ['ntk:4', 2.46],
  ['ntk:8', 3.87],
  ['linear:4', 4],
  ['yarn:8', 8],
  ['none', 1],
])('the trained range of %s ends at %s windows', (method, reach) => {
  const { geometry, length } = rowOf(method, 2048);
  const spec = specOf(rowOf(method, 2048))!;
  const base = specOf(rowOf('none', 2048))!;
  const [reference, candidate] = [base, spec].map((x) => computeRope(x, length).invFreq);
  expect(inRangeUpTo(reference!, candidate!, length)! / length).toBeCloseTo(reach, 2);
  // The formula has no cost for angles up to there, but some beyond.
  const outside = (share: number) =>
    termsAt(geometry, spec, Math.round(share * reach * length)).outOfRange;
  expect(outside(0.98)).toBe(0);
  expect(outside(1.1)).toBeGreaterThan(0);
});

it('where every pair turns in training, nothing limits the reach', () => {
  const geometry = { rotaryDim: 64, rotaryShare: 1, theta: 100, window: 8192 };
  const spec = { type: 'default', theta: 100, rotaryDim: 64 } as const;
  const { invFreq } = computeRope(spec, geometry.window);
  expect(inRangeUpTo(invFreq, invFreq, geometry.window)).toBeNull();
  expect(termsAt(geometry, spec, 32 * geometry.window).outOfRange).toBe(0);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastWithinLoss } from '../../src/probes/measure.js';
import {
  agrees,
  count,
  pairs,
  publishedChanges,
  withinTwo,
} from '../../tools/validation/agreement.js';
import { fitScale } from '../../tools/validation/fit.js';
import type { ProbeParts } from '../../tools/validation/measure.js';
import { predictors } from '../../tools/validation/run.js';
import type { Row } from '../../tools/validation/types.js';
import { llamaRows } from './rows.js';

const rows = llamaRows(
  [
    { method: 'none', length: 2048, value: 2 },
    { method: 'linear:4', length: 2048, value: 2.6 },
    { method: 'yarn:4', length: 2048, value: 2.3 },
    { method: 'ntk:4', length: 2048, value: 2.9 },
  ],
  'loss',
);
const list = pairs(rows);
const changes = publishedChanges(rows);

const finite = fc.double({ min: -10, max: 10, noNaN: true });
const missing = fc.constantFrom(NaN, Infinity, -Infinity);

describe('a prediction that is no number', () => {
  it('is never counted as agreement or as a miss, but is an error with the name of its row', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 4, maxLength: 4 }), missing, (values, bad) => {
        for (const row of rows) {
          const predict = (r: Row): number => (r === row ? bad : values[rows.indexOf(r)]!);
          const name = new RegExp(`${row.method}.* at 2048 tokens`);
          const mine = list.filter(({ a, b }) => a === row || b === row);
          for (const pair of mine) expect(() => agrees(pair, predict)).toThrow(name);
          expect(() => count(list, predict)).toThrow(name);
          if (!changes.some((c) => c.row === row)) continue;
          expect(() => withinTwo(changes, predict)).toThrow(name);
          expect(() => fitScale(changes, predict)).toThrow(name);
        }
        const measured = (r: Row): number => values[rows.indexOf(r)]!;
        expect(count(list, measured).total).toBe(list.length);
      }),
    );
  });

  it('is no length that holds', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), missing, fc.nat(), (losses, bad, at) => {
        const index = at % losses.length;
        expect(() => lastWithinLoss(losses.with(index, bad))).toThrow(RangeError);
        expect(lastWithinLoss(losses)).toBeLessThan(losses.length);
      }),
    );
  });

  it('cannot come from facts that were not asked, unless they are weighed', () => {
    const language = { value: 0.25, tokens: 1000 };
    const part = (facts: number | undefined): ProbeParts => ({ language, outOfRange: 0.5, facts });
    fc.assert(
      fc.property(fc.option(finite, { nil: undefined }), finite, (facts, weight) => {
        const [row] = rows;
        const { loss, byWeight } = predictors(new Map([[row!, part(facts)]]));
        expect(loss(row!)).toBe(0.75);
        expect(byWeight(0)(row!)).toBe(0.75);
        expect(Number.isFinite(byWeight(weight)(row!))).toBe(facts !== undefined || weight === 0);
      }),
    );
  });
});

import { expect, it } from 'vitest';
import { outOfRangeByRung } from '../../src/evaluation/variant.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { groupScaling } from '../helpers/subject.js';

const reference: RopeSpec = { type: 'default', theta: 1e4, rotaryDim: 128 };
const LOSS_SCALE = 1.2;
/** In nats of the subject, where one unit costs one nat. */
const at = (candidate: RopeSpec): number[] =>
  outOfRangeByRung(groupScaling(reference, candidate, 4096), [0.5, 1, 2, 4], LOSS_SCALE).map(
    (nats) => nats / LOSS_SCALE,
  );

it('grows with the length where nothing is scaled: 18 of 64 pairs never turn', () => {
  const share = 18 / 64;
  const want = [0, 0, share * Math.log(2), share * Math.log(4)];
  at(reference).forEach((found, i) => expect(found).toBeCloseTo(want[i]!, 9));
});

it('is nothing up to the factor of linear, and the rest beyond it', () => {
  const found = at({ type: 'linear', theta: 1e4, rotaryDim: 128, factor: 2 });
  expect(found.slice(0, 3)).toEqual([0, 0, 0]);
  expect(found[3]).toBeCloseTo((18 / 64) * Math.log(2), 9);
});

it('takes the table of each length: dynamic NTK is less far out than no scaling', () => {
  const base = { theta: 1e4, rotaryDim: 128, factor: 1 };
  const found = at({ type: 'dynamic', ...base, maxPositions: 4096 });
  expect(found.slice(0, 2)).toEqual([0, 0]);
  expect(found[3]).toBeGreaterThan(0);
  expect(found[3]).toBeLessThan(at(reference)[3]!);
});

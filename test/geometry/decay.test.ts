import { expect, test } from 'vitest';
import { decayCurve } from '../../src/geometry/spectrum.js';
import { computeRope } from '../../src/rope/registry.js';
import { plain } from './models.js';

const { invFreq } = computeRope(plain(1e4));

test('each point is the mean over its distances and pairs, term by term', () => {
  for (const { from, to, mean } of decayCurve(invFreq, 300, 8)) {
    let sum = 0;
    for (let m = from; m <= to; m++)
      for (const frequency of invFreq) sum += Math.cos(m * frequency);
    expect(mean).toBeCloseTo(sum / ((to - from + 1) * invFreq.length), 10);
  }
});

test('the bins cover every distance once', () => {
  const points = decayCurve(invFreq, 4096, 48);
  expect(points[0]?.from).toBe(1);
  expect(points.at(-1)?.to).toBe(4096);
  points.slice(1).forEach(({ from }, index) => expect(from).toBe((points[index]?.to ?? 0) + 1));
});

test('falls over the trained window (RoFormer, section 3.4.3)', () => {
  const points = decayCurve(invFreq, 4096, 12);
  expect(points[0]?.mean).toBeGreaterThan(0.9);
  expect(points.at(-1)?.mean).toBeLessThan(0.1);
});

test('pairs that stand still are left out; none at all gives no curve', () => {
  expect(decayCurve([...invFreq, 0], 100, 4)).toEqual(decayCurve(invFreq, 100, 4));
  expect(decayCurve([0], 100, 4)).toEqual([]);
});

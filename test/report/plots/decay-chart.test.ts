import { expect, test } from 'vitest';
import { decayCurve } from '../../../src/geometry/spectrum.js';
import { decayChart } from '../../../src/report/plots.js';
import { computeRope } from '../../../src/rope/registry.js';
import { plain, yarn } from '../../geometry/models.js';

const series = [
  { label: 'reference', points: decayCurve(computeRope(plain(1e4)).invFreq, 16384, 48) },
  { label: 'yarn:4', points: decayCurve(computeRope(yarn(1e4, 4, 4096)).invFreq, 16384, 48) },
];
const chart = (width = 80) => decayChart({ series, trainedRange: 4096, width });

test.each([60, 80, 120])('fits into %d columns', (width) => {
  for (const line of chart(width)) expect([...line].length).toBeLessThanOrEqual(width);
});

test('starts at the top left and ends near the zero line', () => {
  const lines = chart();
  const zero = lines.findIndex((line) => line.trimStart().startsWith('0.00'));
  expect(lines[0]).toMatch(/^ {2}1\.00 o/);
  const ends = lines.slice(0, 13).map((line) => line.lastIndexOf('o'));
  const last = ends.indexOf(Math.max(...ends));
  expect(Math.abs(last - zero)).toBeLessThanOrEqual(1);
});

test('the trained range is a column', () => {
  const columns = chart()
    .slice(0, 13)
    .map((line) => line.indexOf('│'))
    .filter((column) => column >= 0);
  expect(new Set(columns).size).toBe(1);
  expect(chart().join('\n')).toMatch(/│ .*\b4k\b/);
});

test('nothing to draw without points', () => {
  expect(decayChart({ series: [], trainedRange: 4096 })).toEqual([]);
  expect(decayChart({ series: [{ label: 'x', points: [] }], trainedRange: 4096 })).toEqual([]);
});

import { expect, test } from 'vitest';
import { rotations } from '../../../src/geometry/spectrum.js';
import { spectrumChart } from '../../../src/report/plots.js';
import { computeRope } from '../../../src/rope/registry.js';
import { plain, yarn } from '../../geometry/models.js';

const reference = {
  label: 'reference',
  rotations: rotations(computeRope(plain(1e4)).invFreq, 4096),
};
const scaled = {
  label: 'yarn:4',
  rotations: rotations(computeRope(yarn(1e4, 4, 4096)).invFreq, 4096),
};
const chart = (width = 80) =>
  spectrumChart({ series: [reference, scaled], trainedRange: 4096, targetRange: 16384, width });
const rows = chart().filter((line) => line.startsWith('pair'));

test.each([60, 80, 120])('fits into %d columns', (width) => {
  for (const line of chart(width)) expect([...line].length).toBeLessThanOrEqual(width);
});

test('one row for every third of the 64 pairs, fastest first', () => {
  expect(rows.length).toBe(22);
  expect(rows[0]).toMatch(/^pair {3}0 /);
  expect(rows.at(-1)).toMatch(/^pair {2}63 /);
});

test('fast pairs stand right of the trained mark, slow ones left of it', () => {
  expect(rows[0]?.indexOf('o')).toBeGreaterThan(rows[0]?.indexOf('│') ?? Infinity);
  const last = rows.at(-1) ?? '';
  expect(last.indexOf('o')).toBeLessThan(last.indexOf('│'));
});

test('the target mark lies left of the trained one, at the same column in every row', () => {
  const columns = rows.map((row) => row.indexOf('┊')).filter((column) => column >= 0);
  expect(new Set(columns).size).toBe(1);
  expect(columns[0]).toBeLessThan(rows[0]?.indexOf('│') ?? 0);
});

test('a candidate shows only where it differs: not among the fast pairs of YaRN', () => {
  expect(rows[0]).not.toContain('a ');
  expect(rows[0]?.slice(9)).not.toContain('a');
  const last = rows.at(-1)?.slice(9) ?? '';
  expect(last.indexOf('a')).toBeGreaterThanOrEqual(0);
  expect(last.indexOf('a')).toBeLessThan(last.indexOf('o'));
});

test('the legend names every series and both marks', () => {
  const text = chart().join('\n');
  expect(text).toContain('o reference   a yarn:4');
  expect(text).toMatch(/│ .*\b4k\b/);
  expect(text).toMatch(/┊ .*\b16k \(4x\)/);
});

test('no target mark for a local layer, whose target is its trained range', () => {
  const local = spectrumChart({ series: [reference], trainedRange: 512, targetRange: 512 });
  expect(local.join('\n')).not.toContain('┊');
});

test('colour is given by the caller', () => {
  const roles = new Set<string>();
  spectrumChart({
    series: [reference, scaled],
    trainedRange: 4096,
    targetRange: 16384,
    style: (text, role) => {
      roles.add(role);
      return text;
    },
  });
  expect([...roles].sort()).toEqual(['axis', 'candidate', 'reference', 'target', 'trained']);
});

test('nothing to draw where every pair stands still', () => {
  const still = [{ label: 'still', rotations: [0, 0] }];
  expect(spectrumChart({ series: still, trainedRange: 4, targetRange: 8 })).toEqual([]);
});

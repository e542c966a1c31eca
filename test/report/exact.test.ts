import { describe, expect, it } from 'vitest';
import { GeometryReportSchema } from '../../src/geometry/schema.js';
import { turnsFigure } from '../../src/report/forms/html.js';
import type { Report } from '../../src/report/schema/report.js';
import { exactLines, exactSection } from '../../src/report/sections/exact.js';
import { qwenGeometry } from '../helpers/geometry.js';
import { makeReport } from '../helpers/report.js';

const geometry = GeometryReportSchema.parse(qwenGeometry('dynamic:4,yarn:4'));

describe('what is exact', () => {
  it('is one line on theta, and one on each candidate', () => {
    const [theta, ...candidates] = exactLines(makeReport());
    expect(theta).toMatch(/^Theta 1,000,000: 38 % .*\b0\.380\b/);
    const labels = candidates.map((line) => line.slice(0, line.lastIndexOf(': ')));
    expect(labels).toEqual(['linear:4', 'ntk:4', 'dynamic:4', 'yarn:4']);
    expect(candidates.at(-1)).toMatch(/ 4x .* 1\.1386$/);
  });

  it('has the price of the longer window where the geometry is there, once at home', () => {
    // 28 layers x 2 x 4 heads x 128 dimensions x 2 bytes = 56 kB a token.
    const report = makeReport({ geometry });
    expect(sizesIn(exactLines(report).at(-1)!)).toEqual(['1.75 GiB', '7 GiB']);
    const { trainedWindow } = report.reference;
    const atHome = { ...report, target: { ...report.target, tokens: trainedWindow } };
    expect(sizesIn(exactLines(atHome).at(-1)!)).toEqual(['1.75 GiB']);
  });
});

const sizesIn = (line: string): readonly string[] =>
  [...line.matchAll(/[\d.]+ GiB/g)].map(([size]) => size);

const turnsOf = (report: Report) =>
  exactSection(report).blocks.find((block) => block.kind === 'turns');

describe('the spectrum', () => {
  it('draws the reference over both lengths and the recommended candidate', () => {
    const chart = turnsOf(makeReport({ geometry }))!;
    const { text } = turnsFigure(chart);
    expect(text.match(/<polyline/g)).toHaveLength(3);
    expect(text).toMatch(/dynamic:4 .*\b131,072\b/);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('is left out without geometry', () => {
    expect(turnsOf(makeReport())).toBeUndefined();
  });
});

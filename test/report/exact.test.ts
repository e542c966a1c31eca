import { describe, expect, it } from 'vitest';
import { GeometryReportSchema } from '../../src/geometry/schema.js';
import { turnsFigure } from '../../src/report/forms/html.js';
import type { Report } from '../../src/report/schema/report.js';
import { exactLines, exactSection } from '../../src/report/sections/exact.js';
import { qwenGeometry } from '../helpers/geometry.js';
import { makeReport } from '../helpers/report.js';

const geometry = GeometryReportSchema.parse(qwenGeometry('dynamic:4,yarn:4'));

describe('what is exact', () => {
  it('says how many pairs never turn, and how far each candidate stretches them', () => {
    const lines = exactLines(makeReport());
    expect(lines[0]).toMatch(/38 % of the frequency range never makes a full turn.*0\.380/);
    expect(lines.at(-1)).toMatch(/^yarn:4: .*4x slower.*attention scaling 1\.1386$/);
  });

  it('gives the price of the longer window where the geometry is there', () => {
    // 28 layers x 2 x 4 heads x 128 dimensions x 2 bytes = 56 kB a token.
    expect(exactLines(makeReport({ geometry })).at(-1)).toMatch(
      /KV cache of one sequence in bfloat16: 1\.75 GiB at 32,768 tokens, 7 GiB at 131,072/,
    );
  });

  it('gives it once where the target is the trained window', () => {
    const report = makeReport({ geometry });
    const { trainedWindow } = report.reference;
    const atHome = { ...report, target: { ...report.target, tokens: trainedWindow } };
    expect(exactLines(atHome).at(-1)).toBe(
      'KV cache of one sequence in bfloat16: 1.75 GiB at 32,768 tokens.',
    );
  });
});

const turnsOf = (report: Report) =>
  exactSection(report).blocks.find((block) => block.kind === 'turns');

describe('the spectrum', () => {
  it('draws the reference over both lengths and the recommended candidate', () => {
    const chart = turnsOf(makeReport({ geometry }))!;
    const { text } = turnsFigure(chart);
    expect(text.match(/<polyline/g)).toHaveLength(3);
    expect(text).toContain('dynamic:4 over 131,072 tokens');
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('is left out without geometry', () => {
    expect(turnsOf(makeReport())).toBeUndefined();
  });
});

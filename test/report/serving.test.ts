import { describe, expect, it } from 'vitest';
import { REPORTERS } from '../../src/report/forms/index.js';
import type { Offset } from '../../src/report/probe-parts/offset.js';
import type { DynamicForm, Reading, Switch } from '../../src/report/probe-parts/serving.js';
import type { CandidateReport, Report } from '../../src/report/schema/report.js';
import { type Section, sectionsToDraw } from '../../src/report/sections/section.js';
import { reportSections } from '../../src/report/sections/index.js';
import { interval, makeReport } from '../helpers/report.js';

const reading = (accuracy: number, loss: number): Reading => ({
  accuracy: interval(accuracy, 0.02),
  languageLoss: interval(loss, 0.01),
});
const form = (
  name: DynamicForm['form'],
  accuracy: number,
  gap?: DynamicForm['gap'],
): DynamicForm => ({
  form: name,
  short: { accuracyChange: interval(0, 0), lossChange: interval(0.05, 0.01) },
  needle: [1, 2, 4].map((multiple) => ({
    multiple,
    tokens: multiple * 32_768,
    accuracy: interval(accuracy, 0.02),
    languageLoss: interval(2, 0.1),
    lossChange: interval(0.1, 0.02),
  })),
  reach: { multiple: 4, tokens: 131_072, low: 3, high: 4, censored: true },
  ...(gap ? { gap } : {}),
});
const forms = [
  form('recomputed', 0.9),
  form('cached', 0.3, {
    accuracy: { ...interval(-0.6, 0.05), tokens: 65_536, probe: 'needle' },
    loss: { ...interval(0.2, 0.02), tokens: 32_768, probe: 'short' },
  }),
];
const found: Switch = {
  tokens: 4096,
  below: { tokens: 3584, short: reading(0.99, 1), long: reading(0.8, 1.4) },
  at: { tokens: 4096, short: reading(0.98, 1), long: reading(0.8, 1.4) },
  above: {
    tokens: 4608,
    short: reading(0.9, 1.1),
    long: reading(0.75, 1.3),
    cached: reading(0.13, 1.5),
  },
  recomputed: reading(-0.24, 0.3),
  cached: reading(-0.86, 0.5),
  stale: reading(-0.62, 0.2),
};
const offset = (verdict: Offset['verdict'], maxDrift: number): Offset => ({
  shift: { tokens: 98_304, probeTokens: 768 },
  maxDrift,
  rmsDrift: maxDrift / 4,
  verdict,
});

function shown(changes: Readonly<Record<string, Partial<CandidateReport>>>): Report {
  return makeReport({
    candidates: makeReport().candidates.map((each) => ({ ...each, ...changes[each.label] })),
  });
}

async function drawn(type: string, report: Report, columns = 100): Promise<string> {
  const reporter = await REPORTERS[`.${type}`]!.load();
  return reporter(report, { color: false, columns, plots: false });
}

/** The sections of the probes that run as servers do, without their words. */
function tables(report: Report): readonly Section[] {
  const sections = sectionsToDraw(reportSections(report), true, []);
  return sections.filter(({ id }) => /^(serving|offset)/.test(id));
}

/** The texts of a table, row by row. */
function cellsOf({ blocks }: Section): readonly (readonly string[])[] {
  const [table] = blocks;
  if (table?.kind !== 'table') throw new Error('the section begins with no table');
  return table.rows.map(({ cells }) => cells.map(({ text }) => text));
}

describe('dynamic scaling as servers do it', () => {
  const report = shown({ 'dynamic:4': { forms }, 'ntk:4': { forms } });

  it('is one table for candidates that measured the same, with the gap and where it is', async () => {
    const [table, ...others] = tables(report);
    expect(others).toEqual([]);
    expect(table!.title).toContain('ntk:4 and dynamic:4');
    const [recomputed, cached] = cellsOf(table!);
    expect(recomputed?.slice(-2)).toEqual(['', '']);
    expect(cached).toContain('30 %');
    expect(cached?.slice(-2)).toEqual(['−60.0 pts at 64k', '+0.200 at short']);
    expect(await drawn('txt', report, 120)).toMatch(
      /cached keys .* 30 % .*−60\.0 pts at 64k +\+0\.200 at short/,
    );
  });

  it('drops lengths below the target where the terminal is narrow', async () => {
    const text = await drawn('txt', report, 80);
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.startsWith('form'));
    expect(lines[at]).toMatch(/128k/);
    expect(lines[at]).not.toMatch(/64k/);
    expect(lines[at + 3]).toMatch(/^cached keys/);
    for (const line of lines.slice(at, at + 5)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each([
    ['md', /\| cached keys \| .*−60\.0 pts at 64k \[−65\.0 … −55\.0\]/],
    ['html', /<td class="right">−60\.0 pts at 64k<small>−65\.0 … −55\.0<\/small><\/td>/],
  ])('stands in %s', async (type, pattern) => {
    expect(await drawn(type, report)).toMatch(pattern);
  });
});

it('shows a switch: below, at, and above with and without a stale cache', () => {
  const [table] = tables(shown({ none: { switch: found } }));
  expect(table!.title).toMatch(/^none .* 4,096 /);
  const rows = cellsOf(table!);
  expect(rows.map(([length]) => length!.split(' ')[0])).toEqual([
    '3,584',
    '4,096',
    '4,608',
    '4,608',
  ]);
  expect(rows.map(([, ...values]) => values)).toEqual([
    ['99 %', '1.00', '', ''],
    ['98 %', '1.00', '', ''],
    ['75 %', '1.30', '−24.0 pts', '+0.300'],
    ['13 %', '1.50', '−86.0 pts', '+0.500'],
  ]);
});

it('is a line where the same text was asked further on', async () => {
  const report = shown({ 'yarn:4': { offset: offset('none', 2e-5) } });
  expect(tables(report).map(({ id }) => id)).toEqual(['offset']);
  for (const type of ['txt', 'md', 'html']) {
    expect(await drawn(type, report)).toContain('98,304');
    expect(await drawn(type, report)).toContain('0.00002');
  }
});

it('is left out where nothing was measured', () => {
  expect(tables(makeReport())).toEqual([]);
});

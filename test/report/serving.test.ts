import { describe, expect, it } from 'vitest';
import { REPORTERS } from '../../src/report/forms/index.js';
import type { Offset } from '../../src/report/probe-parts/offset.js';
import type { DynamicForm, Reading, Switch } from '../../src/report/probe-parts/serving.js';
import type { CandidateReport, Report } from '../../src/report/schema/report.js';
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

describe('dynamic scaling as servers do it', () => {
  const report = shown({ 'dynamic:4': { forms }, 'ntk:4': { forms } });

  it('is one table for candidates that measured the same, with the gap and where it is', async () => {
    const text = await drawn('txt', report, 120);
    expect(text).toContain('ntk:4 and dynamic:4 as servers do it');
    expect(text).toMatch(/cached keys .* 30 % .*−60\.0 pts at 64k +\+0\.200 at short/);
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

it('shows a switch: below, at, and above with and without a stale cache', async () => {
  const text = await drawn('txt', shown({ none: { switch: found } }));
  expect(text).toContain('none at the switch, 4,096 tokens');
  expect(text).toMatch(/3,584 tokens, short factors +99 %/);
  expect(text).toMatch(/4,608 tokens, long factors +75 % .*−24\.0 pts/);
  expect(text).toMatch(/4,608 tokens, cached keys +13 % .*−86\.0 pts/);
});

describe('the offset', () => {
  it('is one line that names who changes by definition', async () => {
    const report = shown({
      'yarn:4': { offset: offset('none', 2e-5) },
      'dynamic:4': { offset: offset('by-definition', 13.1) },
    });
    const text = (await drawn('txt', report)).replaceAll('\n', ' ');
    expect(text).toContain('98,304 tokens further on, dynamic:4 changes by definition');
    expect(text).toContain('the others do not change (0.00002 nats at most, rounding)');
  });

  it('calls drift a defect', async () => {
    const text = await drawn('md', shown({ 'yarn:4': { offset: offset('drifts', 0.2) } }));
    expect(text).toContain('yarn:4 drifts by up to 0.20 nats, a defect');
    const both = { offset: offset('drifts', 0.2) };
    expect(await drawn('md', shown({ 'yarn:4': both, 'ntk:4': both }))).toMatch(
      /ntk:4 drift by up to|yarn:4 drift by up to/,
    );
  });
});

it.each(['txt', 'md', 'html'])('leaves %s alone where nothing was measured', async (type) => {
  expect(await drawn(type, makeReport())).not.toMatch(/as servers do it|at the switch|Offset:/);
});

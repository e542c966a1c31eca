import { describe, expect, it } from 'vitest';
import type { RopeEvalError } from '../../src/errors.js';
import { compareWithBaseline, parseReport } from '../../src/gate/baseline.js';
import type { Report } from '../../src/report/schema/report.js';
import { caught, errorAt, optionsIn } from '../helpers/errors.js';
import { candidate, interval, makeReport, probeOf, short } from '../helpers/report.js';

const settings = makeReport().settings;

function refusal(before: Report, after: Report = makeReport()): RopeEvalError {
  return caught(() => compareWithBaseline(before, after, 'main.json'));
}

describe('a baseline', () => {
  it('of the same run has no regression', () => {
    const result = compareWithBaseline(makeReport(), makeReport(), 'main.json');
    expect(result.regressed).toBe(0);
    expect(result.cells.every((cell) => cell.outcome === 'same')).toBe(true);
    expect(result.cells.map((cell) => cell.cell)).toContain('needle@131072');
  });

  it('names the one cell that regressed behind a good mean', () => {
    const report = makeReport();
    const worse = report.candidates.map((each) => ({
      ...each,
      needle: each.needle.map((rung) =>
        each.label === 'yarn:4' && rung.multiple === 3
          ? { ...rung, accuracy: interval(0.6, 0.03) }
          : { ...rung, accuracy: { ...rung.accuracy } },
      ),
    }));
    const result = compareWithBaseline(report, { ...report, candidates: worse }, 'main.json');
    const regressed = result.cells.filter((cell) => cell.outcome === 'regressed');
    expect(regressed).toMatchObject([{ candidate: 'yarn:4', cell: 'needle@98304' }]);
    expect(result.regressed).toBe(1);
  });

  it('knows which direction is worse', () => {
    const before = makeReport({
      candidates: [candidate('yarn:4', 'reaches', 4, short(-0.01, 0.04))],
    });
    const after = makeReport({
      candidates: [candidate('yarn:4', 'reaches', 4, short(-0.01, 0.2))],
    });
    const outcome = (a: Report, b: Report) =>
      compareWithBaseline(a, b, 'x').cells.find((cell) => cell.cell === 'short.lossChange')
        ?.outcome;
    expect(outcome(before, after)).toBe('regressed');
    expect(outcome(after, before)).toBe('improved');
  });

  it('does not call a change inside the intervals a regression', () => {
    const before = makeReport({
      candidates: [candidate('yarn:4', 'reaches', 4, short(-0.01, 0.04))],
    });
    const after = makeReport({
      candidates: [candidate('yarn:4', 'reaches', 4, short(-0.012, 0.042))],
    });
    const result = compareWithBaseline(before, after, 'x');
    expect(result.regressed).toBe(0);
    expect(result.cells.map((cell) => cell.outcome)).toContain('within-noise');
  });

  it('counts a cell that is gone as regressed', () => {
    const after = makeReport({
      candidates: makeReport().candidates.filter((each) => each.label !== 'ntk:4'),
    });
    const result = compareWithBaseline(makeReport(), after, 'x');
    expect(result.missing).toContainEqual({ candidate: 'ntk:4', cell: 'reach' });
    expect(result.regressed).toBe(result.missing.length);
  });

  it.each([
    ['model', makeReport({ subject: { ...makeReport().subject, weightsSha256: 'd'.repeat(64) } })],
    ['preset', makeReport({ settings: { ...settings, preset: 'quick' } })],
    ['seed', makeReport({ settings: { ...settings, seed: 7 } })],
    [
      'samples',
      makeReport({
        settings: {
          ...settings,
          contexts: { short: 8, shortText: 8, long: 4, longText: 4, apart: 4 },
        },
      }),
    ],
    ['lengths', makeReport({ settings: { ...settings, ladder: settings.ladder.slice(1) } })],
    ['reference', makeReport({ reference: { ...makeReport().reference, trainedWindow: 4096 } })],
    ['reference', makeReport({ reference: { ...makeReport().reference, theta: 12_500 } })],
    [
      'held pairs of the probe',
      makeReport({ subject: { ...probeOf(makeReport()), heldPairs: 2 } }),
    ],
  ])('of another %s is refused', (what, before) => {
    const error = refusal(before);
    expect(error).toMatchObject({ exitCode: 3, kind: 'not_comparable' });
    expect(error.message).toContain(`${what}: `);
  });

  it('lists everything that differs', () => {
    const error = refusal(makeReport({ settings: { ...settings, preset: 'quick', seed: 7 } }));
    expect(optionsIn(error).slice(0, 2)).toEqual(['preset', 'seed']);
  });

  it('that was interrupted is refused', () => {
    expect(refusal(makeReport({ status: 'interrupted' })).exitCode).toBe(3);
  });
});

describe('a saved report', () => {
  it('of another schema version is refused with exit 3', () => {
    const text = JSON.stringify({ ...makeReport(), schemaVersion: '9.0' });
    expect(() => parseReport(text, 'old.json')).toThrow(/schema 9\.0/);
  });

  it('must be one', () => {
    expect(() => parseReport('{"a": 1}', 'x.json')).toThrow(
      errorAt('bad_report', { file: 'x.json' }),
    );
  });

  it.each([
    [{ schemaVersion: '1.0', report: makeReport() }, 'under the key report'],
    [{ schemaVersion: '1.1', entries: [] }, 'jq .entries'],
    [{ a: 1 }, 'Make one with rope-eval'],
  ])('is found where another output holds it: %#', (value, hint) => {
    expect(() => parseReport(JSON.stringify(value), 'x.json')).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringContaining(hint) as string }),
    );
  });
});

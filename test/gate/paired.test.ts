import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareReports, compareWithBaseline } from '../../src/gate/baseline.js';
import type { Report } from '../../src/report/schema/report.js';
import { type Contributions, reportOf } from '../helpers/per-context.js';

const RUNGS = 5;

/** Ten contexts that differ from each other by far more than any change below. */
const LOSSES = [150, 170, 190, 200, 210, 215, 230, 240, 260, 280];

function contributions(
  text: readonly number[] = LOSSES,
  needleAt: (rung: number, context: number) => number = () => 4,
): Contributions {
  return {
    text,
    needle: Array.from({ length: RUNGS }, (_, r) => text.map((_, c) => needleAt(r, c))),
  };
}

function cell(before: Report, after: Report, name: string) {
  const { cells } = compareWithBaseline(before, after, 'main.json');
  return cells.find((each) => each.candidate === 'yarn:4' && each.cell === name);
}

const older = (report: Report): Report => {
  const rest = structuredClone(report);
  delete rest.perContext;
  return rest;
};

describe('a baseline on the same contexts', () => {
  it('pairs lengths beyond the target too, where further contexts hold nothing', () => {
    // The first six contexts reach the last rung, eighteen more end before it.
    const texts = Array.from({ length: 24 }, (_, i) => 200 + i);
    const cut = (report: Report): Report => {
      const changed = structuredClone(report);
      const { counts, candidates } = changed.perContext!;
      const last = (rows: string[][]): string[][] =>
        rows.with(
          -1,
          rows
            .at(-1)!
            .map((row) => row.replace(/^((?:\d+ ){6}).*$/, `$1${'0 '.repeat(18).trim()}`)),
        );
      counts.needle = last(counts.needle);
      for (const candidate of candidates) candidate.needle = last(candidate.needle);
      return changed;
    };
    const [before, after] = [
      cut(reportOf(contributions(texts))),
      cut(reportOf(contributions(texts, (rung) => (rung === RUNGS - 1 ? 1 : 4)))),
    ];
    const found = cell(before, after, 'needle@131072');
    expect(found).toMatchObject({ method: 'contexts', outcome: 'regressed' });
    expect(found!.change).toEqual({ value: -0.75, low: -0.75, high: -0.75 });
  });

  it('finds nothing but sameness in the same run', () => {
    const one = fc
      .array(
        fc.record({
          loss: fc.double({ min: 1, max: 500, noNaN: true }),
          found: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: RUNGS, maxLength: RUNGS }),
        }),
        { minLength: 6, maxLength: 20 },
      )
      .map((contexts) => {
        const text = contexts.map(({ loss }) => Number(loss.toFixed(5)));
        return reportOf(contributions(text, (r, c) => contexts[c]!.found[r]!));
      });
    fc.assert(
      fc.property(one, (report) => {
        const { cells, regressed } = compareWithBaseline(report, report, 'main.json');
        expect(regressed).toBe(0);
        for (const { outcome, method, change } of cells) {
          expect({ outcome, method, change }).toEqual({
            outcome: 'same',
            method: 'contexts',
            change: { value: 0, low: 0, high: 0 },
          });
        }
      }),
      { numRuns: 20 },
    );
  });

  it('finds a small regression that the two intervals would let pass', () => {
    const before = reportOf(contributions());
    const after = reportOf(contributions(LOSSES.map((sum, c) => sum + 1 + (c % 2))));
    expect(cell(before, after, 'short.lossChange')).toMatchObject({
      outcome: 'regressed',
      method: 'contexts',
    });
    expect(cell(older(before), after, 'short.lossChange')).toMatchObject({
      outcome: 'within-noise',
      method: 'intervals',
    });
    expect(cell(after, before, 'short.lossChange')?.outcome).toBe('improved');
  });

  it('has the interval of the contexts’ differences', () => {
    // Five of ten contexts lose all four answers: the mean of a resample is Binomial(10, 1/2) / 10,
    // whose 2.5 % and 97.5 % quantiles are 2 and 8 of 10. Few contexts make it wider: Student's t of
    // nine degrees of freedom is 2.262, and sqrt(10 / 9) of the spread is missing.
    const half = 0.3 * (2.262 / 1.96) * Math.sqrt(10 / 9);
    const before = reportOf(contributions());
    const after = reportOf(contributions(LOSSES, (r, c) => (r === 4 && c < 5 ? 0 : 4)));
    const { change } = cell(before, after, 'needle@131072')!;
    expect(change.value).toBeCloseTo(-0.5, 12);
    expect(change.low).toBeCloseTo(-0.5 - half, 3);
    expect(change.high).toBeCloseTo(-0.5 + half, 3);
  });

  it('has no width where every context changed by the same', () => {
    const after = reportOf(contributions(LOSSES.map((sum) => sum + 3)));
    const { change } = cell(reportOf(contributions()), after, 'short.lossChange')!;
    for (const value of Object.values(change)) expect(value).toBeCloseTo(0.03, 10);
  });

  it('compares reach in pairs too', () => {
    const before = reportOf(contributions());
    const after = reportOf(contributions(LOSSES, (r, c) => (r >= 3 ? (c === 0 ? 4 : 0) : 4)));
    const found = cell(before, after, 'reach')!;
    // The reach falls from 4x to 2x whichever contexts are drawn. The two intervals, 0 to 4 each,
    // could not show that.
    expect(found).toMatchObject({
      outcome: 'regressed',
      change: { value: -2, low: -2, high: -2 },
    });
    expect(cell(older(before), after, 'reach')?.outcome).toBe('within-noise');
  });

  it('takes a change of the reference into account', () => {
    const before = reportOf(contributions());
    const after = structuredClone(before);
    const [reference, candidate] = after.perContext!.candidates;
    for (const each of [reference!, candidate!]) {
      const more = each.short.textLoss.split(' ').map((sum) => Number(sum) + 5);
      each.short.textLoss = more.join(' ');
    }
    expect(cell(before, after, 'short.lossChange')?.outcome).toBe('same');
  });
});

describe('the two intervals are all there is', () => {
  const before = reportOf(contributions());
  it.each([
    ['where a report is older than data per context', older(before), before],
    ['where the contexts are others', reportOf(contributions(), {}, '0'.repeat(64)), before],
    [
      'of fewer than six contexts',
      reportOf(contributions(LOSSES.slice(0, 5))),
      reportOf(contributions(LOSSES.slice(0, 5).map((sum) => sum + 1))),
    ],
  ])('%s, and the result says so', (_, a, b) => {
    const result = compareWithBaseline(a, b, 'main.json');
    expect(new Set(result.cells.map(({ method }) => method))).toEqual(new Set(['intervals']));
  });
});

it('another seed is refused, whatever the contexts say', () => {
  const before = reportOf(contributions());
  const after = { ...before, settings: { ...before.settings, seed: 7 } };
  expect(() => compareWithBaseline(before, after, 'main.json')).toThrow(
    expect.objectContaining({ exitCode: 3, kind: 'not_comparable' }),
  );
});

it('two reports side by side are paired as well', () => {
  const before = reportOf(contributions());
  const after = reportOf(contributions(LOSSES.map((sum) => sum + 1)));
  const clear = ({ cells }: ReturnType<typeof compareReports>) =>
    cells.filter((each) => each.clear).map((each) => each.cell);
  const names = { before: 'a.json', after: 'b.json' };
  expect(clear(compareReports(before, after, names))).toEqual(['short.lossChange']);
  expect(clear(compareReports(older(before), after, names))).toEqual([]);
});

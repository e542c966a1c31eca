import { expect, it } from 'vitest';
import { parseReport } from '../../src/gate/baseline.js';
import type { PerContext } from '../../src/report/schema/report.js';
import { reportOf } from '../helpers/per-context.js';

const report = reportOf({
  text: [150, 170, 190, 200, 210, 215],
  needle: Array.from({ length: 5 }, (_, rung) => Array.from({ length: 6 }, () => 4 - (rung % 2))),
});

function parse(change: (rows: PerContext) => void) {
  const changed = structuredClone(report);
  change(changed.perContext!);
  return () => parseReport(JSON.stringify(changed), 'main.json');
}

it('reads data per context from which the cells follow', () => {
  expect(parse(() => undefined)()).toEqual(report);
});

it.each<[string, (rows: PerContext) => void]>([
  ['a row is no list of numbers', ({ counts }) => (counts.text = '100 NaN 100 100 100 100')],
  ['a number has two points', ({ candidates }) => (candidates[1]!.short.textLoss = '1.2.3 1 1')],
  ['a row is short of a context', ({ candidates }) => (candidates[1]!.short.facts = '4 4 4 4 4')],
  ['a needle row is short', ({ candidates }) => (candidates[1]!.needle[2]![3] = '4 4')],
  ['a count row is short', ({ counts }) => (counts.needle[0]![0] = '4')],
  ['a rung is missing', ({ candidates }) => candidates[1]!.needle.pop()],
  ['a fifth of the distance is missing', ({ candidates }) => candidates[0]!.needle[0]!.pop()],
  ['counts are others', ({ counts }) => (counts.text = '100 100 100 100 100 900')],
  ['nothing was asked', ({ counts }) => (counts.text = '0 0 0 0 0 0')],
  [
    'nothing was asked at a length',
    ({ counts }) => (counts.needle[4] = counts.needle[4]!.map(() => '0 0 0 0 0 0')),
  ],
  ['facts are others', ({ candidates }) => (candidates[1]!.needle[4]![0] = '0 0 0 0 0 0')],
])('refuses a report of which %s', (_, change) => {
  expect(parse(change)).toThrow(
    expect.objectContaining({
      kind: 'bad_report',
      exitCode: 2,
      message: expect.stringMatching(/perContext/) as string,
    }),
  );
});

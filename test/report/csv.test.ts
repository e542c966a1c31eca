import { describe, expect, it } from 'vitest';
import { csv } from '../../src/report/forms/csv.js';
import type { Report } from '../../src/report/schema/report.js';
import { candidate, makeReport, short } from '../helpers/report.js';

function lines(report: Report): string[] {
  return csv(report, { color: false, columns: 100, plots: true }).split('\r\n');
}

describe('CSV', () => {
  it('has a row per candidate and length under one header', () => {
    const [head = '', ...rows] = lines(makeReport());
    expect(rows.pop()).toBe('');
    expect(rows).toHaveLength(5 * 5);
    const columns = head.split(',');
    const cell = (row: number, name: string) => rows[row]?.split(',')[columns.indexOf(name)];
    expect(cell(6, 'candidate')).toBe('linear:4');
    expect(cell(6, 'tokens')).toBe('49152');
    expect(cell(6, 'short_loss_change')).toBe('0.286');
    expect(rows.every((row) => row.split(',').length === columns.length)).toBe(true);
  });

  it.each([' =1', '\n=1', '\t@x', '＝1', '　＋1', '－1', '＠x'])('guards the cell %j', (label) => {
    const report = makeReport({ candidates: [candidate(label, 'reaches', 4, short(0, 0))] });
    expect(lines(report).join('\r\n')).toContain(`'${label}`);
  });

  it('quotes what holds a comma, and disarms what a spreadsheet would run', () => {
    const label = '=cmd,"x"';
    const [, row] = lines(
      makeReport({ candidates: [candidate(label, 'reaches', 4, short(0, 0))] }),
    );
    expect(row).toContain(`,"'=cmd,""x""",`);
  });

  it('keeps a candidate without a finished length', () => {
    const empty = { ...candidate('yarn:4', 'unclear', 4, short(0, 0.5)), needle: [], reach: null };
    const [, row] = lines(makeReport({ candidates: [empty] }));
    expect(row).toContain('yarn:4,candidate,unclear,32768,131072,,,');
  });
});

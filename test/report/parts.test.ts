import { describe, expect, it } from 'vitest';
import { REPORTERS } from '../../src/report/forms/index.js';
import type { Report } from '../../src/report/schema/report.js';
import { interval, makeReport } from '../helpers/report.js';

const parts = {
  total: interval(0.93, 0.4),
  rope: interval(-0.08, 0.1),
  dilution: interval(0.45, 0.3),
};
const report = makeReport({
  candidates: makeReport().candidates.map((each) =>
    each.label === 'yarn:4' ? { ...each, parts } : each,
  ),
});

async function drawn(form: string, shown: Report, columns = 100): Promise<string> {
  const reporter = await REPORTERS[`.${form}`]!.load();
  return reporter(shown, { color: false, columns, plots: true });
}

describe('RoPE against dilution', () => {
  it('stands in the text under the table, a line a candidate', async () => {
    const text = await drawn('txt', report);
    expect(text).toMatch(/yarn:4 +\+0\.93 +−0\.08 +\+0\.45\n +\+0\.5 … \+1\.3 /);
  });

  it('leaves the intervals out where the terminal is narrow', async () => {
    const text = await drawn('txt', report, 44);
    expect(text).toMatch(/yarn:4 +\+0\.93 +−0\.08 +\+0\.45$/m);
  });

  it.each([
    ['md', /\| `yarn:4` \| \+0\.93 \[\+0\.5 … \+1\.3\] \|/],
    ['html', /<td class="right">\+0\.93<small>\+0\.5 … \+1\.3<\/small><\/td>/],
    ['csv', /,0\.93,0\.53/],
  ])('stands in %s', async (form, pattern) => {
    expect(await drawn(form, report)).toMatch(pattern);
  });

  it.each(['txt', 'md', 'html'])('is left out of %s where it was not measured', async (form) => {
    expect(await drawn(form, makeReport())).not.toContain('dilution');
  });
});

it.each(['txt', 'md', 'html', 'csv', 'xml'])(
  'keeps the finished work of an unfinished run out of %s',
  async (form) => {
    const job = {
      key: 'KEYKEY',
      length: 256,
      contexts: [{ logProbability: 'LOGLOG', correct: 'HITHIT' }],
    };
    const half = makeReport({ status: 'failed', unfinished: { reason: 'killed', jobs: [job] } });
    expect(await drawn(form, half)).not.toMatch(/KEYKEY|LOGLOG|HITHIT/);
  },
);

import { describe, expect, it } from 'vitest';
import { parseCandidates, type ResolvedCandidate } from '../../src/candidates/definition.js';
import { forms } from '../../src/evaluation/probes/dynamic-forms.js';
import type { CandidateReport, Interval } from '../../src/report/schema/report.js';
import { interval, makeReport } from '../helpers/report.js';

const dynamic = makeReport().candidates.find(({ label }) => label === 'dynamic:4')!;

function withGap(accuracy: Interval, loss: Interval, label = 'dynamic:4'): CandidateReport {
  const form = {
    short: { accuracyChange: interval(0, 0), lossChange: interval(0, 0) },
    needle: [],
    reach: { multiple: 1, tokens: 32_768, low: 1, high: 1, censored: false },
  };
  const gap = {
    accuracy: { ...accuracy, tokens: 131_072, probe: 'needle' as const },
    loss: { ...loss, tokens: 32_768, probe: 'short' as const },
  };
  return {
    ...dynamic,
    label,
    forms: [
      { form: 'recomputed', ...form },
      { form: 'static', ...form, gap },
    ],
  };
}

const servingFindings = (row: CandidateReport) => {
  const [definition] = parseCandidates(row.label);
  return forms.findings!(row, { candidate: { definition } as ResolvedCandidate });
};

describe('findings about forms of dynamic scaling', () => {
  it('say how many facts a form loses, and where', () => {
    const [found, ...rest] = servingFindings(withGap(interval(-0.3, 0.1), interval(0.2, 0.01)));
    expect(rest).toEqual([]);
    expect(found).toMatchObject({
      code: 'RE052',
      severity: 'notice',
      args: {
        candidate: 'dynamic:4',
        form: 'static',
        quantity: 'accuracy',
        value: -0.3,
        tokens: 131_072,
      },
    });
  });

  it('fall back on the loss, and warn where the config itself is meant', () => {
    const report = withGap(interval(0, 0.1), interval(0.2, 0.01), 'as-configured');
    const [found] = servingFindings(report);
    expect(found).toMatchObject({
      severity: 'warning',
      args: { quantity: 'loss', probe: 'short' },
    });
  });

  it.each([
    ['chance', interval(-0.3, 0.4), interval(0.2, 0.3)],
    ['small', interval(-0.04, 0.01), interval(0.04, 0.01)],
  ])('leave out a gap that is %s', (_, accuracy, loss) => {
    expect(servingFindings(withGap(accuracy, loss))).toEqual([]);
  });
});

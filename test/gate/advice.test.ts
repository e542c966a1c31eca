import { expect, it } from 'vitest';
import type { RuleResult } from '../../src/gate/judge.js';
import { adviceFor } from '../../src/gate/words.js';
import { makeReport } from '../helpers/report.js';

const CONFIG = '{"model_type": "llama"}';

const undecided: RuleResult = {
  level: 'error',
  rule: 'short.lossChange <= 0.05',
  metric: 'short.lossChange',
  candidate: 'yarn:4',
  operator: '<=',
  threshold: 0.05,
  outcome: 'unverifiable',
  reason: 'straddles',
};

function advice(more: Partial<RuleResult>, preset: 'quick' | 'thorough' = 'quick'): string {
  const report = makeReport();
  const settings = { ...report.settings, preset };
  return adviceFor(
    { ...undecided, ...more },
    {
      report: { ...report, settings },
      configText: CONFIG,
      source: 'config.json',
      changed: [],
      commands: { compare: 'COMPARE', again: (samples) => `AGAIN ${samples}` },
    },
  ).text;
}

it.each([
  [{ samplesToDecide: 30 }, 'about 30 samples, or the preset thorough, would decide: AGAIN 30'],
  [{ samplesToDecide: 300 }, 'about 300 samples would decide: AGAIN 300'],
  [{ samplesToDecide: null }, 'more contexts would hardly decide'],
  [{ reason: 'ladder-ended' }, 'nothing longer than'],
  [{ reason: 'ambiguous-reference' }, 'change nothing on this ground'],
  [{ reason: 'no-candidate' }, 'add yarn:4 to the candidates of the policy.'],
  [{ reason: 'no-facts' }, 'change nothing on this ground: facts cannot judge'],
  [{ reason: 'not-measured' }, 'nothing is measured at this length'],
] as const)('says what would decide %j', (result, words) => {
  expect(advice(result)).toContain(`config.json: ${words}`);
});

it('does not advise the preset that was run', () => {
  expect(advice({ samplesToDecide: 30 }, 'thorough')).not.toContain('preset');
});

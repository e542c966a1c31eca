import { expect, it } from 'vitest';
import { PROGRAM_NAMES } from '../../src/errors.js';
import type { RuleResult } from '../../src/gate/judge.js';
import { adviceFor, adviceLines } from '../../src/gate/words.js';
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
  return adviceLines(
    adviceFor(
      { ...undecided, ...more },
      {
        report: { ...report, settings },
        configText: CONFIG,
        source: 'config.json',
        changed: [],
        names: PROGRAM_NAMES,
        commands: {
          compare: 'COMPARE',
          again: (samples) => `AGAIN ${samples}`,
          alone: () => 'ALONE',
        },
      },
    ),
  ).join(' ');
}

it.each([
  [
    { samplesToDecide: 30 },
    'For short.lossChange <= 0.05 about 30 samples, or the preset thorough, would decide. With them: AGAIN 30',
  ],
  [
    { samplesToDecide: 300 },
    'For short.lossChange <= 0.05 about 300 samples would decide. With them: AGAIN 300',
  ],
  [{ samplesToDecide: null }, 'For short.lossChange <= 0.05 more contexts would hardly decide'],
  [{ reason: 'ladder-ended' }, 'For short.lossChange <= 0.05 nothing longer than'],
  [{ reason: 'ambiguous-reference' }, 'Change nothing on this ground'],
  [{ reason: 'no-candidate' }, 'Add yarn:4 to the candidates of the policy.'],
  [
    { reason: 'one-context' },
    'For short.lossChange <= 0.05 there was one context, which has no interval; ask for more. With more: AGAIN 4',
  ],
  [{ reason: 'no-facts' }, 'Change nothing on this ground: facts cannot judge'],
  [{ reason: 'not-measured' }, 'For short.lossChange <= 0.05 nothing is measured at this length'],
] as const)('says what would decide %j', (result, words) => {
  expect(advice(result)).toContain(`config.json: ${words}`);
});

it('does not advise the preset that was run', () => {
  expect(advice({ samplesToDecide: 30 }, 'thorough')).not.toContain('preset');
});

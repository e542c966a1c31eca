import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgeReport } from '../../src/gate/judge.js';
import { parsePolicy } from '../../src/gate/policy.js';
import { gateOutcome, verdictLine } from '../../src/gate/words.js';
import { makeReport } from '../helpers/report.js';

const rule = fc.tuple(
  fc.constantFrom('error', 'warn', 'off'),
  fc
    .tuple(
      fc.constantFrom('', 'yarn:4: ', 'linear:4: ', 'missing:2: '),
      fc.constantFrom(
        'needle@target',
        'needle@2x',
        'needle@777',
        'short.lossChange',
        'short.accuracyChange',
        'kvCacheGiB',
      ),
      fc.constantFrom('>=', '<='),
      fc.double({ min: -1, max: 1, noNaN: true }).map((value) => value.toFixed(3)),
    )
    .map(([candidate, metric, operator, value]) => `${candidate}${metric} ${operator} ${value}`),
);

it('status, exit code and verdict line always agree', () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 5 }),
      fc.constantFrom('complete', 'interrupted', 'failed' as const),
      fc.boolean(),
      (rules, status, withFinding) => {
        const finding = { code: 'RE001', severity: 'error', path: '', args: {} } as const;
        const result = judgeReport({
          report: makeReport({
            status: status as 'complete',
            findings: withFinding ? [finding] : [],
          }),
          policy: parsePolicy(JSON.stringify({ rules }), 'test'),
          candidates: ['yarn:4', 'ntk:4'],
          kvCacheGiB: () => 0.5,
        });
        const line = verdictLine(result);
        const errors = result.rules.filter((each) => each.level === 'error');
        const broken = errors.some((each) => each.outcome !== 'pass') || withFinding;
        const measured = result.rules.some((each) => each.found);
        expect(result.exitCode === 0).toBe(result.status === 'passed');
        expect(result.exitCode === 0).toBe(line.startsWith('PASSED'));
        expect(result.exitCode === 0).toBe(status === 'complete' && !broken && measured);
        expect(result.exitCode === 130).toBe(line.startsWith('INTERRUPTED'));
        expect(result.exitCode === 3).toBe(line.startsWith('RUNTIME FAILED'));
        expect(gateOutcome(result).verdict).toBe(result.exitCode === 0 ? 'passed' : 'failed');
      },
    ),
  );
});

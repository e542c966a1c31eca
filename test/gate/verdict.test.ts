import { describe, expect, it } from 'vitest';
import { type GateResult, judgeReport } from '../../src/gate/judge.js';
import { defaultPolicy, parsePolicy } from '../../src/gate/policy.js';
import { gateOutcome } from '../../src/gate/words.js';
import type { Report } from '../../src/report/schema/report.js';
import { candidate, interval, makeReport, short } from '../helpers/report.js';

const policyOf = (rules: [string, string][], more = {}) =>
  parsePolicy(JSON.stringify({ rules, ...more }), 'test');

function gate(report: Report, rules: [string, string][], labels = ['yarn:4']): GateResult {
  return judgeReport({
    report,
    policy: policyOf(rules),
    candidates: labels,
    kvCacheGiB: (tokens) => tokens / 65_536,
  });
}

describe('a gate', () => {
  it('passes an untouched config by default', () => {
    const untouched = candidate('as-configured', 'not-needed', 4, short(0, 0));
    const same = {
      ...untouched,
      short: { ...untouched.short, accuracyChange: interval(0, 0), lossChange: interval(0, 0) },
    };
    const report = makeReport({
      target: { multiple: 1, tokens: 32_768 },
      candidates: [candidate('none', 'reference', 1, short(0, 0)), same as never],
    });
    const result = judgeReport({
      report,
      policy: defaultPolicy(),
      candidates: ['as-configured'],
      kvCacheGiB: () => undefined,
    });
    expect(result).toMatchObject({ status: 'passed', exitCode: 0 });
  });

  it('fails a scaling that damages short contexts by default', () => {
    const report = makeReport({
      candidates: [
        candidate('none', 'reference', 1, short(0, 0)),
        candidate('as-configured', 'fails-short', 4, short(-0.4, 0.66)),
      ],
    });
    const result = judgeReport({
      report,
      policy: defaultPolicy(),
      candidates: ['as-configured'],
      kvCacheGiB: () => undefined,
    });
    expect(result).toMatchObject({ status: 'failed', exitCode: 1 });
    expect(
      result.rules.filter((rule) => rule.outcome === 'fail').map((rule) => rule.metric),
    ).toEqual(expect.arrayContaining(['short.accuracyChange', 'short.lossChange']));
  });

  it('takes needle relative to the reference at 1x', () => {
    const [rule] = gate(makeReport(), [['error', 'needle@131072 >= 0.9']]).rules;
    expect(rule).toMatchObject({ outcome: 'pass', found: { value: 0.98 } });
  });

  it('fails an error rule it cannot verify, and says how many contexts would decide', () => {
    const result = gate(makeReport(), [['error', 'short.lossChange <= 0.040']]);
    expect(result).toMatchObject({ status: 'unverifiable', exitCode: 1 });
    // Half-width 0.006 over distance 0.002: 9 times as many as 96 contexts, 4 a sample.
    expect(result.rules[0]).toMatchObject({ reason: 'straddles', samplesToDecide: 216 });
  });

  it('passes over a warn rule that fails', () => {
    const result = gate(makeReport(), [
      ['warn', 'short.lossChange <= 0.01'],
      ['error', 'reach >= 2x'],
    ]);
    expect(result).toMatchObject({ status: 'passed', exitCode: 0 });
    expect(result.rules[0]?.outcome).toBe('fail');
  });

  it('does not read a ladder that ended as a failure', () => {
    const [rule] = gate(makeReport(), [['error', 'reach >= 8x']]).rules;
    expect(rule).toMatchObject({ outcome: 'unverifiable', reason: 'ladder-ended' });
  });

  it('judges only the candidate a rule names', () => {
    const result = gate(makeReport(), [['error', 'linear:4: short.lossChange <= 0.05']]);
    expect(result.rules).toMatchObject([{ candidate: 'linear:4', outcome: 'fail' }]);
  });

  it('judges local layers too: they only lose', () => {
    const report = makeReport();
    const layered = report.candidates.map((each) =>
      each.label === 'yarn:4'
        ? {
            ...each,
            local: [{ layerType: 'sliding_attention', window: 512, short: short(-0.1, 0.3) }],
          }
        : each,
    );
    const { rules } = gate({ ...report, candidates: layered }, [
      ['error', 'short.lossChange <= 0.05'],
    ]);
    expect(rules).toMatchObject([
      { outcome: 'pass' },
      { outcome: 'fail', part: 'sliding_attention' },
    ]);
  });

  it('asks nothing about distances of a model whose layers are all local', () => {
    const report = makeReport({
      candidates: makeReport().candidates.map((each) => ({
        ...each,
        needle: [],
        reach: null,
        verdict: each.role === 'reference' ? each.verdict : 'not-needed',
      })),
    });
    const result = gate(report, [
      ['error', 'needle@target >= 0.8'],
      ['error', 'reach >= target'],
      ['error', 'short.lossChange <= 0.1'],
    ]);
    expect(result.status).toBe('passed');
    expect(result.rules.map((rule) => rule.reason)).toEqual([
      'local-only',
      'local-only',
      undefined,
    ]);
  });

  describe('on weights that find no facts without a scaling', () => {
    const none = { value: 0, low: 0, high: 0.04 };
    const blank = makeReport({
      candidates: makeReport().candidates.map((each) => ({
        ...each,
        needle: each.needle.map((rung) => ({ ...rung, accuracy: none, relative: 0 })),
        reach: { multiple: 0, tokens: 0, low: 0, high: 4, censored: false },
        short: {
          ...each.short!,
          accuracyChange: interval(0, 0),
          counts: { ...each.short!.counts, factsCorrect: 0 },
        },
      })),
    });
    const facts: [string, string][] = [
      ['error', 'needle@target >= 0.8'],
      ['error', 'reach >= target'],
      ['error', 'short.accuracyChange >= -0.02'],
    ];
    const losses: [string, string][] = [
      ['error', 'lossChange@target <= 0.1'],
      ['error', 'short.lossChange <= 0.05'],
    ];

    it('no rule on facts passes, fails or asks for more contexts', () => {
      const { status, rules } = gate(blank, [...facts, losses[1]!]);
      expect(status).toBe('unverifiable');
      expect(rules.slice(0, 3).map(({ outcome }) => outcome)).toEqual(
        Array(3).fill('unverifiable'),
      );
      expect(rules.slice(0, 3).map(({ reason }) => reason)).toEqual(Array(3).fill('no-facts'));
      expect(rules.every(({ samplesToDecide }) => samplesToDecide === undefined)).toBe(true);
    });

    it('the losses gate', () => {
      expect(gate(blank, losses).status).toBe('passed');
      expect(gate(blank, losses, ['linear:4']).status).toBe('failed');
      const { rules } = gate(blank, [['error', 'lossChange@4x <= -0.01']]);
      expect(rules).toMatchObject([{ outcome: 'fail', at: 131_072 }]);
      expect(rules[0]!.found!.value).toBeCloseTo(0.02, 9);
    });

    it('what a change leaves alone passes', () => {
      const { rules } = judgeReport({
        report: blank,
        policy: policyOf(facts),
        candidates: ['yarn:4'],
        unchanged: { own: ['yarn:4'], rotation: true, window: true },
        kvCacheGiB: () => undefined,
      });
      expect(rules.map(({ reason }) => reason)).toEqual(Array(3).fill('unchanged'));
      expect(rules.slice(0, 2).map(({ found }) => found)).toEqual([undefined, undefined]);
    });
  });

  describe('on one context, which has no interval', () => {
    const { contexts } = makeReport().settings;
    const report = makeReport({
      settings: { ...makeReport().settings, contexts: { ...contexts, shortText: 1, longText: 1 } },
      candidates: makeReport().candidates.map((each) => ({
        ...each,
        short: { ...each.short!, counts: { ...each.short!.counts, textContexts: 1 } },
      })),
    });

    it.each(['short.lossChange <= 1', 'short.lossChange <= 0.001', 'lossChange@target <= 5'])(
      '%s is not decided',
      (rule) => {
        const { status, rules } = gate(report, [['error', rule]]);
        expect(status).toBe('unverifiable');
        expect(rules).toMatchObject([{ reason: 'one-context' }]);
      },
    );

    it('what several contexts or the config decide is', () => {
      const rules: [string, string][] = [
        ['error', 'short.accuracyChange >= -0.05'],
        ['error', 'kvCacheGiB <= 4'],
      ];
      expect(gate(report, rules).status).toBe('passed');
    });

    it('a table that nothing changed costs nothing', () => {
      const same = report.candidates.map((each) => ({
        ...each,
        groups: each.groups.map((group) => ({ ...group, changed: false })),
        short: { ...each.short!, lossChange: interval(0, 0) },
      }));
      const result = gate({ ...report, candidates: same }, [['error', 'short.lossChange <= 0.01']]);
      expect(result.status).toBe('passed');
    });
  });

  it('reads costs from the config', () => {
    const result = gate(makeReport(), [['error', 'kvCacheGiB <= 1']]);
    expect(result.rules[0]).toMatchObject({ at: 131_072, found: { value: 2 }, outcome: 'fail' });
  });

  it.each([
    ['no rules', []],
    ['only rules that are off', [['off', 'reach >= 2x']]],
    ['a length that is not on the ladder', [['warn', 'needle@80000 >= 0.5']]],
    ['an unknown candidate', [['warn', 'yarn:16: reach >= 2x']]],
  ] as [string, [string, string][]][])('that measured nothing fails: %s', (_, rules) => {
    expect(gate(makeReport(), rules)).toMatchObject({ status: 'nothing-measured', exitCode: 1 });
  });

  it('reads a length that is as good as a measured one there', () => {
    const at = (length: number) => gate(makeReport(), [['error', `needle@${length} >= 0.5`]]).rules;
    expect(at(131_072 + 2000)[0]!.found).toEqual(at(131_072)[0]!.found);
  });

  it('gives findings the severity of the policy', () => {
    const finding = { code: 'RE012', severity: 'warning', path: 'rope_scaling', args: {} } as const;
    const judged = (lint: Record<string, string>) =>
      judgeReport({
        report: makeReport({ findings: [finding] }),
        policy: policyOf([['error', 'reach >= 2x']], { lint }),
        candidates: ['yarn:4'],
        kvCacheGiB: () => undefined,
      });
    expect(judged({}).status).toBe('passed');
    expect(judged({ RE012: 'error' })).toMatchObject({ status: 'failed', exitCode: 1 });
    expect(judged({ RE012: 'off' }).findings).toEqual([]);
    // An output form that only knows rules must not be green if a finding fails the gate.
    expect(gateOutcome(judged({ RE012: 'error' })).rules).toContainEqual(
      expect.objectContaining({ rule: 'finding RE012', status: 'failed', level: 'error' }),
    );
  });

  it.each([
    ['an unchanged scaling at an unchanged length', true, ['unchanged', 'unchanged']],
    ['an unchanged scaling at a longer length', false, ['unchanged', undefined]],
  ])('blames no change for %s', (_, window, reasons) => {
    const rules: [string, string][] = [
      ['error', 'short.lossChange <= 0.01'],
      ['error', 'reach >= 8x'],
    ];
    const result = judgeReport({
      report: makeReport(),
      policy: policyOf(rules),
      candidates: ['yarn:4'],
      unchanged: { own: ['yarn:4'], rotation: true, window },
      kvCacheGiB: () => undefined,
    });
    expect(result.rules.map(({ reason }) => reason === 'unchanged')).toEqual(
      reasons.map((reason) => reason === 'unchanged'),
    );
    expect(result.exitCode).toBe(window ? 0 : 1);
  });

  it('is interrupted where the report is', () => {
    const result = gate(makeReport({ status: 'interrupted' }), [['error', 'reach >= 2x']]);
    expect(result).toMatchObject({ status: 'interrupted', exitCode: 130 });
    expect(gateOutcome(result).rules[0]).toMatchObject({ status: 'failed' });
  });

  it('fails with exit code 3 where the runtime broke off, whatever was measured by then', () => {
    const result = gate(makeReport({ status: 'failed' }), [['error', 'reach >= 2x']]);
    expect(result).toMatchObject({ status: 'runtime-failed', exitCode: 3 });
    expect(result.rules[0]?.outcome).toBe('pass');
    expect(gateOutcome(result).rules[0]).toMatchObject({ status: 'failed', level: 'error' });
  });
});

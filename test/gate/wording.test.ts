import { describe, expect, it } from 'vitest';
import { PROGRAM_NAMES } from '../../src/errors.js';
import { compareWithBaseline, parseReport } from '../../src/gate/baseline.js';
import type { RuleResult } from '../../src/gate/judge.js';
import { mergeSweeps, type Sweep, parseSweep } from '../../src/gate/sweep.js';
import {
  adviceFor,
  adviceLines,
  baselineWords,
  methodWords,
  ruleBrief,
  ruleMessage,
} from '../../src/gate/words.js';
import { caught } from '../helpers/errors.js';
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

describe('advice', () => {
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

  it('does not name the preset that was run', () => {
    expect(advice({ samplesToDecide: 30 }, 'thorough')).not.toContain('preset');
  });
});

describe('a rule, in a line and in full', () => {
  const found = { value: 0.66, low: 0.654, high: 0.666 };

  it.each<[string, Partial<RuleResult>, string]>([
    ['no facts in the window', { reason: 'no-facts' }, 'without any scaling the model finds no'],
    ['no facts to lose', { reason: 'no-facts', found }, 'without any scaling the model knows so'],
    ['one context', { reason: 'one-context', found }, 'one context has no interval'],
    [
      'what the base config lacks too',
      { reason: 'unchanged', outcome: 'pass' },
      'not measured: as in the base config, which the change leaves alone here',
    ],
  ])('says why it is not judged: %s', (_, more, why) => {
    const rule = { ...undecided, ...more };
    expect(ruleMessage(rule)).toContain(why);
    expect(ruleBrief(rule, ['as-configured'])).toContain(why.replace('measured:', 'measured,'));
  });

  it('says what was expected and found', () => {
    const failed: RuleResult = { ...undecided, outcome: 'fail', found };
    expect(ruleBrief(failed, ['as-configured'])).toBe(
      'short.lossChange <= 0.05: found 0.66 nats (0.654 to 0.666)',
    );
    expect(ruleBrief(failed, ['yarn:4', 'ntk:4'])).toMatch(
      /^short\.lossChange <= 0\.05 for yarn:4: found/,
    );
    expect(ruleMessage(failed)).toBe(
      'expected <= 0.05 nats, found 0.66 nats, 95 % interval 0.654 to 0.666',
    );
  });
});

it('a comparison says how it was made', () => {
  const result = compareWithBaseline(makeReport(), makeReport(), 'main.json');
  expect(baselineWords(result)).toContain('Compared by the saved intervals alone');
  const [cell] = result.cells;
  const mixed = [{ ...cell!, method: 'contexts' as const }, cell!];
  expect(methodWords(mixed)).toContain('1 of them compared by the saved intervals alone');
  expect(methodWords(mixed.slice(0, 1))).toBe('Compared in pairs of contexts.');
});

describe('an error says what differs', () => {
  it('between a baseline and this run', () => {
    const { settings } = makeReport();
    const before = makeReport({ settings: { ...settings, preset: 'quick', seed: 7 } });
    const { message } = caught(() => compareWithBaseline(before, makeReport(), 'main.json'));
    expect(message).toMatch(/preset: quick there, standard here\n\s+seed: 7 there, 0 here/);
  });

  const part = (index: number, more: Partial<Sweep> = {}) => ({
    source: `part-${index}.json`,
    sweep: parseSweep(
      JSON.stringify({
        schemaVersion: '1.1',
        tool: { name: 'rope-eval', version: '0.1.0' },
        status: 'complete',
        shards: { count: 2, present: [index] },
        configsTotal: 3,
        entries: [],
        ...more,
      }),
      'part.json',
    ),
  });

  it.each<[Partial<Sweep>, Partial<Sweep>, string]>([
    [
      {},
      { configsTotal: 9 },
      'are not parts of one sweep:\n  number of configs: 3 in part-1.json, 9 in part-2.json',
    ],
    [
      { settings: { target: 65_536, candidates: ['yarn:2'] } },
      { settings: { target: null, candidates: null } },
      'part-1.json and part-2.json are not parts of one sweep:\n' +
        '  target: 65536 tokens in part-1.json, of each window in part-2.json\n' +
        '  candidates: yarn:2 in part-1.json, the usual set in part-2.json',
    ],
    [{}, { shards: { count: 2, present: [1] } }, 'both hold shard 1/2'],
  ])('between two parts of a sweep: %j, %j', (first, second, message) => {
    const error = caught(() => mergeSweeps([part(1, first), part(2, second)]));
    expect(error.message).toContain(message);
  });
});

it('an error says what a file is not', () => {
  const text = '{"a": 1}';
  expect(() => parseReport(text, 'x.json')).toThrow(/x\.json is not a rope-eval report: /);
  expect(() => parseSweep(text, 'x.json')).toThrow('x.json is not a part of a sweep');
});

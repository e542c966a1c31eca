import { describe, expect, it } from 'vitest';
import {
  defaultPolicy,
  formatRule,
  parsePackagePolicy,
  parsePolicy,
  withOverrides,
} from '../../src/gate/policy.js';

const texts = (policy: ReturnType<typeof defaultPolicy>): string[] =>
  policy.rules.map((rule) => `${rule.level} ${formatRule(rule)}`);

describe('a policy file', () => {
  it('gives rules, lint severities and settings', () => {
    const policy = parsePolicy(
      JSON.stringify({
        $schema: './node_modules/rope-eval/schemas/policy.schema.json',
        rules: [['warn', 'yarn:4: reach >= 128k']],
        lint: { RE012: 'error' },
        target: 131072,
      }),
      'rope-eval.config.json',
    );
    expect(texts(policy)).toEqual(['warn yarn:4: reach >= 131072']);
    expect(policy).toMatchObject({
      lint: { RE012: 'error' },
      target: 131072,
      candidates: ['as-configured'],
    });
  });

  it('may stand in package.json', () => {
    const text = JSON.stringify({ name: 'x', 'rope-eval': { rules: [['error', 'reach >= 2x']] } });
    const policy = parsePackagePolicy(text, 'package.json');
    expect(policy && texts(policy)).toEqual(['error reach >= 2x']);
    expect(parsePackagePolicy('{"name":"x"}', 'package.json')).toBeUndefined();
  });

  it.each([
    ['{"rule": []}', /unknown key 'rule'.*rules/],
    ['{"rules": [["fatal", "reach >= 2x"]]}', /rules\[0\]\[0\]/],
    ['{"rules": [["error", "speed >= 2"]]}', /unknown metric 'speed'/],
    ['{"rules": "reach >= 2x"}', /rules/],
    ['{"lint": {"theta": "error"}}', /lint/],
    ['[]', /JSON object/],
    ['{"rules": [],}', /line 1/],
  ])('is refused where it is wrong: %s', (text, message) => {
    expect(() => parsePolicy(text, 'p.json')).toThrow(message);
  });
});

describe('flags', () => {
  it('add rules, and replace those on the same subject', () => {
    const policy = withOverrides(defaultPolicy(), {
      rules: ['short.lossChange <= 0.2', 'needle@2x >= 0.9'],
      warnings: ['kvCacheGiB <= 8'],
    });
    expect(texts(policy)).toEqual([
      'error needle@target >= 0.8',
      'error short.accuracyChange >= -0.02',
      'warn reach >= target',
      'error short.lossChange <= 0.2',
      'error needle@2x >= 0.9',
      'warn kvCacheGiB <= 8',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import type { RopeEvalError } from '../../src/errors.js';
import { formatRule, parseRule } from '../../src/gate/policy.js';
import { caught } from '../helpers/errors.js';

function errorOf(text: string): RopeEvalError {
  return caught(() => parseRule(text, 'error', { path: 'rules[0]' }));
}

describe('rules', () => {
  it.each([
    'needle@131072 >= 0.8',
    'needle@target >= 0.8',
    'needle@4x > 0.5',
    'yarn:4: needle@131072 >= 0.8',
    'yarn:4:beta_fast=16: short.lossChange <= 0.05',
    'short.accuracyChange >= -0.02',
    'reach >= 131072',
    'reach >= target',
    'kvCacheGiB <= 40',
    'kvCacheGiB@65536 <= 20',
  ])('reads and writes %s', (text) => {
    expect(formatRule(parseRule(text, 'error', {}))).toBe(text);
  });

  it('reads k as 1024 tokens', () => {
    expect(formatRule(parseRule('needle@128k>=0.8', 'error', {}))).toBe('needle@131072 >= 0.8');
  });

  it('suggests the metric that was meant', () => {
    expect(errorOf('short.lossChang <= 0.05').message).toContain('short.lossChange');
    expect(errorOf('neddle@1024 >= 0.5').message).toContain('needle');
  });

  it.each([
    ['needle >= 0.8', 'needs a length'],
    ['short.lossChange@4096 <= 0.1', 'takes no length'],
    ['needle@131072 >= high', 'must be a number'],
    ['reach >= far', 'not a length'],
    ['needle@131072', 'cannot be read'],
    ['needle@131072 == 0.8', 'cannot be read'],
    ['', 'cannot be read'],
  ])('refuses %j: %s', (text, message) => {
    const error = errorOf(text);
    expect(error.message).toContain(message);
    expect(error).toMatchObject({ exitCode: 2, path: 'rules[0]' });
  });
});

import { describe, expect, it } from 'vitest';
import { readMetric, readTokens, readValue } from '../../tools/validation/values.js';

describe('metric', () => {
  it.each([
    ['perplexity (sliding window S=256; lower better)', 'perplexity'],
    ['PPL', 'perplexity'],
    ['log perplexity', 'loss'],
    ['NLL', 'loss'],
    ['cross-entropy loss, nats/token', 'loss'],
    ['loss change (nats)', 'loss'],
    ['accuracy', 'accuracy'],
    ['passkey retrieval (%)', 'accuracy'],
    ['needle in a haystack', 'accuracy'],
    ['Arena-Hard-v2.0 score', 'accuracy'],
    ['tokens per second', undefined],
    ['accuracy drop', undefined],
    ['accuracy loss (points)', undefined],
    ['perplexity increase', undefined],
    [null, undefined],
  ])('%s is %s', (text, kind) => {
    expect(readMetric(text)?.kind).toBe(kind);
  });

  it('bits are a loss of ln 2 nats', () => {
    expect(readMetric('bits per token')).toEqual({ kind: 'loss', unit: Math.LN2 });
    expect(readMetric('bpc')).toEqual({ kind: 'loss', unit: Math.LN2 });
    expect(readMetric('log2 perplexity')).toEqual({ kind: 'loss', unit: Math.LN2 });
    expect(readMetric('validation loss (log10)')).toEqual({ kind: 'loss', unit: Math.LN10 });
  });
});

it.each([
  [8192, 8192],
  ['8192', 8192],
  ['8,192', 8192],
  ['8k', 8192],
  ['32K tokens', 32768],
  ['128 k', 131072],
  ['1M', 1048576],
  ['1.5k', 1536],
  ['4x', 8192],
  ['short', undefined],
  ['8k-16k', undefined],
  [null, undefined],
  [-1, undefined],
  ['0', undefined],
])('a length of %s is %s tokens (window 2048)', (text, tokens) => {
  expect(readTokens(text, 2048)).toBe(tokens);
});

describe('value', () => {
  it.each([
    [5.97, undefined, 5.97, 5.97],
    ['5.97', undefined, 5.97, 5.97],
    ['6.1 ± 0.1', undefined, 6.1, 6.1],
    ['98.5 %', undefined, 98.5, 98.5],
    ['1,234.5', undefined, 1234.5, 1234.5],
    ['>10^3', undefined, 1000, Infinity],
    ['> 1000', undefined, 1000, Infinity],
    ['>1.2x10^3', undefined, 1200, Infinity],
    ['1e4+', undefined, 1e4, Infinity],
    [null, '>10', 10, Infinity],
    [10, '>10', 10, Infinity],
    [10, '>', 10, Infinity],
    [10, true, 10, Infinity],
    [0.05, '< 0.05', -Infinity, 0.05],
    [3, false, 3, 3],
    ['inf', undefined, Infinity, Infinity],
  ])('%s, censored %s: %s to %s', (value, censored, low, high) => {
    expect(readValue(value, censored, 'perplexity')).toEqual({ low, high });
  });

  it.each([[null], ['OOM'], ['NaN'], ['-'], ['n/a'], [undefined], [{ mean: 3 }], [NaN]])(
    '%s is no value',
    (value) => {
      expect(readValue(value, undefined, 'perplexity')).toMatch(/^no value/);
    },
  );

  it('no loss is infinitely small', () => {
    expect(readValue(Number('-1e999'), undefined, 'loss')).toMatch(/^no value/);
    expect(readValue(Number('1e999'), undefined, 'loss')).toEqual({
      low: Infinity,
      high: Infinity,
    });
  });

  it('an accuracy cannot overflow, and must say on which side it is censored', () => {
    expect(readValue('inf', undefined, 'accuracy')).toMatch(/^no value/);
    expect(readValue(Number('1e999'), undefined, 'accuracy')).toMatch(/^no value/);
    expect(readValue(0.5, true, 'accuracy')).toContain('"true"');
  });
});

import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/json/parse.js';

describe('text that is not JSON is refused with line and column', () => {
  it.each([
    ['', /line 1, column 1: the text is empty/],
    ['{"a": 1,\n  "b": NaNs}', /line 2, column 8/],
    ['{"a": -Infinity,}', /column 17: a comma before } is not allowed/],
    ['{"a": NaN, "b": [1,]}', /column 20: a comma before ] is not allowed/],
    ['{"a": 1,}', /column 9: a comma before } is not allowed/],
    ['{"a": [1,]}', /column 10: a comma before ] is not allowed/],
    ['{"a" 1}', /column 6: found "1" where a colon belongs/],
    ["{'a': 1}", /column 2: found "'" where a key in double quotes belongs/],
    ['{"a": 1} x', /column 10: found "x" after the end/],
    ['{"a": 01}', /line 1, column 7/],
    ['{"a": "x', /line 1, column 7/],
    ['{"a": 1', /column 8: the text ends too early/],
    ['{"a": 1 "b": 2}', /column 9: found "\\"" where a comma or the end belongs/],
  ])('%j', (text, message) => {
    expect(() => parseConfig(text)).toThrow(message);
    expect(() => parseConfig(text)).toThrow(expect.objectContaining({ kind: 'invalid_json' }));
  });

  it('reads the numbers that Python writes, and only outside of strings', () => {
    const text = '{"a": NaN, "b": [Infinity, -Infinity], "c": "NaN, \\"Infinity\\""}';
    expect(parseConfig(text)).toEqual({
      a: Number.NaN,
      b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      c: 'NaN, "Infinity"',
    });
  });

  it('bounds the number of objects and lists', () => {
    const text = JSON.stringify({ a: Array.from({ length: 200_000 }, () => []) });
    expect(() => parseConfig(text)).toThrow(expect.objectContaining({ kind: 'too_large' }));
  });

  it('drops a byte order mark', () => {
    expect(parseConfig('\uFEFF{"a": 1}')).toEqual({ a: 1 });
  });

  it('refuses deep nesting before anything recursive sees it', () => {
    const text = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(() => parseConfig(text)).toThrow(expect.objectContaining({ kind: 'too_deep' }));
  });

  it('does not count brackets in strings as nesting', () => {
    const value = '['.repeat(1000);
    expect(parseConfig(JSON.stringify({ value }))).toEqual({ value });
  });

  it('keeps __proto__ as a key and changes no prototype', () => {
    const config = parseConfig('{"__proto__": {"polluted": true}}');
    expect(Object.hasOwn(config, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import * as format from '../../src/report/format.js';

describe('numbers for people', () => {
  it.each([
    [131_072, '131,072', '128k'],
    [512, '512', '512'],
    [1536, '1,536', '1.5k'],
    [131_000, '131,000', '131,000'],
    [1_048_576, '1,048,576', '1024k'],
  ])('%d tokens', (count, long, short) => {
    expect([format.tokens(count), format.shortTokens(count)]).toEqual([long, short]);
  });

  it.each([
    [0.0421, 3, '+0.042'],
    [-0.0421, 3, '−0.042'],
    [-0.0001, 3, '0.000'],
    [0, 1, '0.0'],
  ])('signs %d', (value, digits, expected) => {
    expect(format.signed(value, digits)).toBe(expected);
  });

  it('writes changes of a share in points', () => {
    expect(format.points(-0.0123)).toBe('−1.2 pts');
    expect(format.ends({ value: 0, low: -0.02, high: 0.004 }, 1, 100)).toBe('−2.0 … +0.4');
  });

  it('gives bytes in the unit that suits them', () => {
    const sizes = [512, 1536, 0.75 * 1024 ** 3, 1.75 * 1024 ** 3, 1921.125 * 1024 ** 3];
    expect(sizes.map(format.bytes)).toEqual([
      '512 B',
      '1.5 KiB',
      '768 MiB',
      '1.75 GiB',
      '1.88 TiB',
    ]);
  });

  it('marks a reach whose ladder ended first', () => {
    const reach = { multiple: 4, tokens: 131_072, low: 3, high: 4, censored: true };
    expect(format.reachTokens(reach)).toBe('≥ 131,072');
    expect(format.reachTokens({ ...reach, censored: false })).toBe('131,072');
    expect(format.reachEnds(reach)).toBe('3 … 4x');
  });

  it('joins names as a sentence does', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(format.list)).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
  });

  it('takes terminal escapes and line breaks out of untrusted text', () => {
    expect(format.printable('a\u001b[31m\nb\u202e')).toBe('a·[31m·b·');
  });
});

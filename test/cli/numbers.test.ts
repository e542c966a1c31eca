import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { factors, positiveNumber, tokensFor, wholeNumber } from '../../src/cli/options.js';
import { errorAt } from '../helpers/errors.js';

describe('lengths on the command line', () => {
  const tokens = tokensFor('target');

  it.each([
    ['131072', 131_072],
    ['128k', 131_072],
    ['128K', 131_072],
    ['1e6', 1_000_000],
    ['0.5k', 512],
  ])('reads %s', (text, expected) => {
    expect(tokens(text)).toBe(expected);
  });

  it.each(['0', '-4096', '1.5', 'NaN', 'Infinity', 'abc', '', '1e-3', '0x10', '1e99'])(
    'refuses %j and names the option',
    (text) => {
      expect(() => tokens(text)).toThrow(errorAt('out_of_range', { option: 'target' }));
    },
  );
});

describe('factors', () => {
  it('reads a list, sorted and without repetition', () => {
    expect(factors('4,2x,4')).toEqual([2, 4]);
  });

  it('adds to what was given before', () => {
    expect(factors('1.5', [8])).toEqual([1.5, 8]);
  });

  it.each(['1', '0', '-2', '2,', 'NaN', '1e3', '99999999'])('refuses %j', (text) => {
    expect(() => factors(text)).toThrow(InvalidArgumentError);
  });
});

describe('counts and quantities', () => {
  it.each(['-1', '1.5', 'x', '', '101'])('refuses %j as a count from 0 to 100', (text) => {
    expect(() => wholeNumber(0, 100)(text)).toThrow(InvalidArgumentError);
  });

  it.each(['0', '-1', 'x', 'Infinity'])('refuses %j as a quantity', (text) => {
    expect(() => positiveNumber(text)).toThrow(InvalidArgumentError);
  });

  it('reads a quantity with a fraction', () => {
    expect(positiveNumber('3.35')).toBe(3.35);
  });
});

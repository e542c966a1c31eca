import { describe, expect, test } from 'vitest';
import { toBfloat16, toFloat16 } from '../../src/geometry/drift.js';

describe('bfloat16', () => {
  // 8 significant bits: whole numbers are exact up to 256, then every second one.
  test.each([
    [256, 256],
    [257, 256],
    [258, 258],
    [259, 260],
    [1 / 3, 0.333984375],
    [-1.00390625, -1],
    [3.4e38, Infinity],
    [0, 0],
  ])('%d becomes %d', (value, expected) => {
    expect(toBfloat16(value)).toBe(expected);
  });
});

describe('float16', () => {
  // IEEE 754 binary16: 11 significant bits, largest number 65504, smallest step 2^-24.
  test.each([
    [2048, 2048],
    [2049, 2048],
    [2051, 2052],
    [65504, 65504],
    [65519, 65504],
    [65520, Infinity],
    [-70000, -Infinity],
    [1 / 3, 0.333251953125],
    [2 ** -24, 2 ** -24],
    [2 ** -26, 0],
    [3 * 2 ** -25, 2 ** -23],
  ])('%d becomes %d', (value, expected) => {
    expect(toFloat16(value)).toBe(expected);
  });
});

test('not a number stays so', () => {
  expect(toFloat16(NaN)).toBeNaN();
  expect(toBfloat16(NaN)).toBeNaN();
});

import { expect, it } from 'vitest';
import { learned } from '../../src/encodings/registry.js';

const shape = { width: 2, heads: 1 };
const table = { values: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 3, columns: 2 };

it('a learned table gives its first rows, and makes none up beyond its last', () => {
  expect(learned.inputs(2, shape, table)).toEqual({ added: Float32Array.of(1, 2, 3, 4) });
  expect(learned.entries!(table)).toBe(3);
  expect(() => learned.inputs(4, shape, table)).toThrow(RangeError);
});

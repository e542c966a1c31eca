import { expect, it } from 'vitest';
import { cachedTable, sharedTable } from '../../src/subjects/bundled/engine.js';

const table = { invFreq: Float64Array.of(0.5, 0), attentionScaling: 2 };

it('turns by position times frequency, times the attention scaling; a still pair stays as it is', () => {
  const { qCos, qSin, rows, pairs } = sharedTable(table, [0, 3]);
  expect([rows, pairs]).toEqual([2, 2]);
  const [cos, sin] = [2 * Math.cos(1.5), 2 * Math.sin(1.5)];
  expect(Array.from(qCos)).toEqual([2, 1, Math.fround(cos), 1]);
  expect(Array.from(qSin)).toEqual([0, 0, Math.fround(sin), 0]);
});

it('multiplies the whole head by what multiplies the logits, the still pairs among it', () => {
  const { qCos, kSin } = sharedTable({ ...table, headScaling: 1.5 }, [0, 3]);
  expect(Array.from(qCos)).toEqual([3, 1.5, Math.fround(3 * Math.cos(1.5)), 1.5]);
  expect(Array.from(kSin)).toEqual([0, 0, Math.fround(3 * Math.sin(1.5)), 0]);
});

it('gives each index of a cache a table of its own', () => {
  const next = { invFreq: Float64Array.of(0.25, 0), attentionScaling: 1 };
  const { kCos } = cachedTable([table, next]);
  expect(Array.from(kCos)).toEqual([2, 1, Math.fround(Math.cos(0.25)), 1]);
});

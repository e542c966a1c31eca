import { describe, expect, test } from 'vitest';
import { RopeEvalError } from '../../src/errors.js';
import { toBfloat16 } from '../../src/geometry/drift.js';
import { diffFingerprint, parseDump } from '../../src/geometry/fingerprint.js';
import { computeRope } from '../../src/rope/registry.js';
import { plain, yarn } from './models.js';
import { errorAt } from '../helpers/errors.js';

const unscaled = computeRope(plain(1e4));
const table = computeRope(yarn(1e4, 4, 4096));
const options = { upTo: 16384, unscaled };
const float32 = (values: Float64Array): number[] => Array.from(values, Math.fround);

/** Makes rows for positions 0..count-1, with each value computed from (position, pair). */
const rows = (count: number, value: (position: number, pair: number) => number): number[] =>
  Array.from({ length: count }, (_, position) =>
    Array.from({ length: 64 }, (_, pair) => value(position, pair)),
  ).flat();

const cosine = (position: number, pair: number): number =>
  table.attentionScaling * Math.cos(position * (table.invFreq[pair] ?? 0));
const sine = (position: number, pair: number): number =>
  table.attentionScaling * Math.sin(position * (table.invFreq[pair] ?? 0));

describe('inv_freq', () => {
  test('float32 of the right table is the same', () => {
    const diff = diffFingerprint(
      table,
      { key: 'inv_freq', values: float32(table.invFreq) },
      options,
    );
    expect(diff).toMatchObject({ same: true, partsFrom: null, looksLike: null });
  });

  test('an engine that ignores the scaling: named, with the position where angles part', () => {
    const values = float32(unscaled.invFreq);
    const diff = diffFingerprint(table, { key: 'inv_freq', values }, options);
    const largest = Math.max(...values.map((v, pair) => Math.abs(v - (table.invFreq[pair] ?? 0))));
    expect(diff.same).toBe(false);
    expect(diff.looksLike).toBe('unscaled');
    const parts = diff.partsFrom ?? 0;
    expect(parts * largest).toBeGreaterThan(diff.tolerance);
    expect((parts - 1) * largest).toBeLessThanOrEqual(diff.tolerance);
  });

  test('frequencies cast to bfloat16 with the model', () => {
    const values = Array.from(table.invFreq, toBfloat16);
    const diff = diffFingerprint(table, { key: 'inv_freq', values }, options);
    expect(diff.looksLike).toBe('bfloat16 frequencies');
    expect(diff.partsFrom).toBeLessThan(50);
  });

  test('one pair off', () => {
    const values = float32(table.invFreq);
    values[40] = (values[40] ?? 0) * 1.01;
    const diff = diffFingerprint(table, { key: 'inv_freq', values }, options);
    expect(diff.worst.pair).toBe(40);
    expect(diff.worst.difference).toBeCloseTo(0.01, 4);
    expect(diff.looksLike).toBeNull();
  });

  test('a difference that shows beyond the last position only is none', () => {
    const values = Array.from(table.invFreq, (frequency) => frequency + 1e-9);
    const diff = diffFingerprint(table, { key: 'inv_freq', values }, { upTo: 4096 });
    expect(diff.same).toBe(true);
  });

  test('another number of pairs is an error with exit code 2', () => {
    const dump = { key: 'inv_freq', values: [1, 0.5] } as const;
    expect(() => diffFingerprint(table, dump, options)).toThrow(RopeEvalError);
  });
});

describe('cosines and sines', () => {
  test('one value a pair', () => {
    const diff = diffFingerprint(table, { key: 'cos', values: rows(8, cosine) }, options);
    expect(diff).toMatchObject({ same: true, arrangement: 'pairs' });
    expect(diff.attentionScaling?.found).toBeCloseTo(table.attentionScaling, 12);
  });

  test('each pair twice, as two halves (LLaMA) or as neighbours (GPT-J)', () => {
    const halves = Array.from({ length: 8 }, (_, p) => {
      const row = rows(1, (_, pair) => sine(p, pair));
      return [...row, ...row];
    }).flat();
    const neighbours = Array.from({ length: 8 }, (_, p) =>
      rows(1, (_, pair) => sine(p, pair)).flatMap((value) => [value, value]),
    ).flat();
    expect(diffFingerprint(table, { key: 'sin', values: halves }, options)).toMatchObject({
      same: true,
      arrangement: 'halves',
    });
    expect(diffFingerprint(table, { key: 'sin', values: neighbours }, options)).toMatchObject({
      same: true,
      arrangement: 'neighbours',
    });
  });

  test("vLLM's cache: cosines, then sines, in bfloat16", () => {
    const values = Array.from({ length: 32 }, (_, p) => [
      ...rows(1, (_, pair) => toBfloat16(cosine(p, pair))),
      ...rows(1, (_, pair) => toBfloat16(sine(p, pair))),
    ]).flat();
    const diff = diffFingerprint(table, { key: 'cos_sin_cache', values }, options);
    expect(diff).toMatchObject({ same: true, arrangement: 'cosines then sines' });
  });

  test('a missing attention scaling shows at position 0', () => {
    const values = rows(4, (position, pair) => cosine(position, pair) / table.attentionScaling);
    const diff = diffFingerprint(table, { key: 'cos', values }, options);
    expect(diff).toMatchObject({ same: false, partsFrom: 0, attentionScaling: { found: 1 } });
  });

  test('rows that start later', () => {
    const values = rows(4, (position, pair) => cosine(1000 + position, pair));
    expect(diffFingerprint(table, { key: 'cos', values }, options).same).toBe(false);
    const from = diffFingerprint(
      table,
      { key: 'cos', values },
      { ...options, firstPosition: 1000 },
    );
    expect(from.same).toBe(true);
  });

  test('an engine without the scaling', () => {
    const values = rows(64, (position, pair) => Math.cos(position * (unscaled.invFreq[pair] ?? 0)));
    expect(diffFingerprint(table, { key: 'cos', values }, options).looksLike).toBe('unscaled');
  });

  test('half a row is an error', () => {
    const dump = { key: 'cos', values: [1, 1, 1] } as const;
    expect(() => diffFingerprint(table, dump, options)).toThrow(errorAt('dump', { path: 'cos' }));
  });
});

describe('parseDump', () => {
  test('flattens batches and positions', () => {
    expect(parseDump({ cos: [[[1, 2]], [[3, 4]]] })).toEqual({ key: 'cos', values: [1, 2, 3, 4] });
  });

  test.each([
    [{}],
    [[1, 2]],
    [null],
    [{ inv_freq: [] }],
    [{ inv_freq: [1, null] }],
    [{ inv_freq: ['1'] }],
    [{ inv_freq: [1], cos: [1] }],
    [{ frequencies: [1] }],
    [{ constructor: [1] }],
  ])('refuses %j with exit code 2', (json) => {
    expect(() => parseDump(json)).toThrow(RopeEvalError);
  });
});

import { describe, expect, it } from 'vitest';
import {
  cachedScaling,
  cachedTables,
  type GroupScaling,
  rotationKey,
  tablesByRung,
} from '../../src/evaluation/tables.js';
import { probeFrequencies } from '../../src/geometry/transfer.js';
import { cachedTable, sharedTable } from '../../src/subjects/bundled/index.js';

const probe = { invFreq: probeFrequencies(400, 32), window: 256 };
const base = { theta: 10_000, rotaryDim: 128 };
const scaling: GroupScaling = {
  reference: { type: 'default', ...base },
  candidate: { type: 'dynamic', factor: 4, maxPositions: 4096, ...base },
  window: 4096,
  softmaxScaleRatio: 1,
};

describe('tables of keys as a cache keeps them', () => {
  it('has at each index the table of a context that ends there', () => {
    const cached = cachedScaling(probe, scaling, 512);
    if (!('byIndex' in cached)) throw new Error('one table for all lengths');
    const multiples = [0.5, 1, 1.5, 2];
    const byRung = tablesByRung(probe, scaling, multiples);
    multiples.forEach((m, r) => expect(cached.byIndex[256 * m - 1]).toEqual(byRung[r]));
    expect(cached.byIndex[256]).not.toEqual(cached.byIndex[255]);
  });

  it('is the one table where none changes, so that others can share it', () => {
    expect(cachedScaling(probe, scaling, 256)).toEqual(tablesByRung(probe, scaling, [1])[0]);
    const yarnLike = { ...scaling, candidate: { type: 'linear', factor: 2, ...base } as const };
    expect(cachedScaling(probe, yarnLike, 512)).toEqual(tablesByRung(probe, yarnLike, [2])[0]);
  });

  it('has a key of its own for every change of any table', () => {
    const [a, b] = tablesByRung(probe, scaling, [1, 2]);
    const keys = [[a, b], [b, a], [a, a, b], [a]].map((list) =>
      rotationKey(cachedTables(list.map((table) => table!))),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('rotates each index by its own table at its own position', () => {
    const [a, b] = tablesByRung(probe, scaling, [1, 2]);
    const rows = cachedTable([a!, a!, b!]);
    const from = (table: typeof a, t: number) => sharedTable(table!, [t]);
    expect(Array.from(rows.qCos.slice(32, 64))).toEqual(Array.from(from(a, 1).qCos));
    expect(Array.from(rows.kSin.slice(64, 96))).toEqual(Array.from(from(b, 2).kSin));
  });
});

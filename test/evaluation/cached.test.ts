import { describe, expect, it } from 'vitest';
import { probeFrequencies } from '../../src/geometry/transfer.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { cachedTable, sharedTable } from '../../src/subjects/bundled/engine.js';
import { RotaryTreatments } from '../../src/subjects/bundled/subject.js';
import { byIndexOf, cachedUpTo, scalingOf, subjectOf, tablesAt } from '../helpers/subject.js';

const subject = subjectOf({ invFreq: probeFrequencies(400, 32), window: 256 });
const base = { theta: 10_000, rotaryDim: 128 };
const reference: RopeSpec = { type: 'default', ...base };
const scaling = scalingOf(
  reference,
  { type: 'dynamic', factor: 4, maxPositions: 4096, ...base },
  4096,
);

describe('tables of keys as a cache keeps them', () => {
  it('has at each index the table of a context that ends there', () => {
    const byIndex = byIndexOf(cachedUpTo(subject, scaling, 512));
    const multiples = [0.5, 1, 1.5, 2];
    const byRung = tablesAt(subject, scaling, multiples);
    multiples.forEach((m, r) => expect(byIndex[256 * m - 1]).toEqual(byRung[r]));
    expect(byIndex[256]).not.toEqual(byIndex[255]);
  });

  it('is the one table where none changes, so that others can share it', () => {
    expect(cachedUpTo(subject, scaling, 256)).toBe(
      subject.treat(scaling, { group: 0, tokens: 4096 }).rotation,
    );
    const linear = scalingOf(reference, { type: 'linear', factor: 2, ...base }, 4096);
    expect(cachedUpTo(subject, linear, 512)).toBe(
      subject.treat(linear, { group: 0, tokens: 8192 }).rotation,
    );
  });

  it('is another treatment for every change of any table', () => {
    const treatments = new RotaryTreatments();
    const [a, b] = tablesAt(subject, scaling, [1, 2]);
    const different = [[a, b], [b, a], [a, a, b], [a]].map((list) =>
      treatments.of({ byIndex: list.map((table) => table!) }),
    );
    expect(new Set(different).size).toBe(different.length);
    expect(new Set(different.map(({ digest }) => digest)).size).toBe(different.length);
    expect(treatments.of({ ...a! })).toBe(different[3]);
  });

  it('rotates each index by its own table at its own position', () => {
    const [a, b] = tablesAt(subject, scaling, [1, 2]);
    const rows = cachedTable([a!, a!, b!]);
    const from = (table: typeof a, t: number) => sharedTable(table!, [t]);
    expect(Array.from(rows.qCos.slice(32, 64))).toEqual(Array.from(from(a, 1).qCos));
    expect(Array.from(rows.kSin.slice(64, 96))).toEqual(Array.from(from(b, 2).kSin));
  });
});

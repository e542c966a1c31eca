import { describe, expect, it } from 'vitest';
import { compareEncodings, LADDER } from '../../src/encodings/compare.js';
import { ENCODING_NAMES } from '../../src/encodings/registry.js';
import { type EncodingsReport, EncodingsSchema } from '../../src/encodings/schema.js';
import { measuredEncodings } from '../../src/encodings/twins.js';

const base = { preset: 'quick', samples: 1, threads: 1, worker: false, device: 'cpu' } as const;

const stable = (report: EncodingsReport): object => ({ ...report, createdAt: '', timings: {} });

describe('position encodings side by side', () => {
  it('measures every twin and RoPE, unscaled and scaled, on the same ladder', async () => {
    const report = EncodingsSchema.parse(await compareEncodings(base));
    expect(report.status).toBe('complete');
    expect(report.rows.map((row) => row.label)).toEqual([
      'rope',
      'rope dynamic:1',
      'rope yarn:4',
      'rope yarn:8',
      ...ENCODING_NAMES,
    ]);
    const learned = report.rows.find((row) => row.encoding === 'learned')!;
    for (const row of report.rows) {
      const lengths = row === learned ? [1] : LADDER;
      expect(row.needle.map((n) => n.multiple)).toEqual(lengths);
      expect(new Set(row.needle.map((n) => n.total)).size).toBe(1);
    }
    // A table that ends is different from a ladder that was too short.
    expect(learned.entries).toBe(256);
    expect(learned.reach?.censored ?? false).toBe(false);
  }, 300_000);

  it('gives the same for the same seed, and runs only what was asked for', async () => {
    const options = { ...base, encodings: ['learned'] as const };
    const [a, b] = [await compareEncodings(options), await compareEncodings(options)];
    expect(stable(a)).toEqual(stable(b));
    expect(a.rows.map((row) => row.label)).toEqual(['rope', 'learned']);
    // Compared with itself within its window, nothing changes.
    expect(Math.abs(a.rows[1]!.needle[0]!.lossChange.value)).toBeLessThan(1e-4);
  }, 120_000);

  it('keeps the finished rows of an interrupted run', async () => {
    const stop = new AbortController();
    const report = await compareEncodings({
      ...base,
      encodings: ['nope'],
      signal: stop.signal,
      onProgress: ({ label }) => label === 'nope' && stop.abort(),
    });
    expect(EncodingsSchema.parse(report)).toMatchObject({ status: 'interrupted' });
    expect(report.rows.map((row) => row.label)).toEqual(['rope']);
  }, 120_000);
});

it('the bundled measurement is of the bundled twins, all of them', async () => {
  const { rows, status } = await measuredEncodings();
  expect(status).toBe('complete');
  expect(new Set(rows.map((row) => row.encoding))).toEqual(new Set(['rope', ...ENCODING_NAMES]));
});

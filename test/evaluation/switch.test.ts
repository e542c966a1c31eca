import { beforeAll, describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import { type Report, ReportSchema } from '../../src/report/schema/report.js';
import { type GoldenCase, goldenLines } from '../golden-cases.js';

const { config } = goldenLines<GoldenCase>('rope.jsonl').find(({ id }) =>
  id.startsWith('phi3-mini-128k'),
)!;
const options = { threads: 1, worker: false, device: 'cpu', samples: 4, target: 131_072 } as const;
const run = (value: unknown): Promise<Report> =>
  evaluate(JSON.stringify(value), { ...options, candidates: parseCandidates('none') });

describe('longrope at its switch', () => {
  let report: Report;
  beforeAll(async () => {
    report = await run(config);
  });

  it('is measured below, at and above the original window', () => {
    ReportSchema.parse(report);
    const found = report.candidates[0]!.switch!;
    expect(found.tokens).toBe(4096);
    expect([found.below.tokens, found.at.tokens, found.above.tokens]).toEqual([3584, 4096, 4608]);
    expect(report.candidates[1]!.switch).toBeUndefined();
  });

  it('reads the same contexts with both tables', () => {
    const { below, at, above } = report.candidates[0]!.switch!;
    for (const { short, long } of [below, at, above])
      expect(short.languageLoss).not.toEqual(long.languageLoss);
  });

  it('loses facts where keys cached under the short factors are read under the long ones', () => {
    const { stale, cached } = report.candidates[0]!.switch!;
    expect(stale.accuracy.high).toBeLessThan(0);
    expect(cached.accuracy.high).toBeLessThan(0);
    expect(report.findings.find((f) => f.code === 'RE053')!.args).toMatchObject({
      candidate: 'reference',
      tokens: 4096,
      accuracy: stale.accuracy.value,
    });
  });

  it('takes the changes against the right readings', () => {
    const { below, above, recomputed, cached, stale } = report.candidates[0]!.switch!;
    const value = (of: keyof typeof above & ('long' | 'cached')) => above[of].accuracy.value;
    expect(recomputed.accuracy.value).toBeCloseTo(value('long') - below.short.accuracy.value, 9);
    expect(cached.accuracy.value).toBeCloseTo(value('cached') - below.short.accuracy.value, 9);
    expect(stale.accuracy.value).toBeCloseTo(value('cached') - value('long'), 9);
  });

  it('changes nothing where both lists of factors are the same', async () => {
    const block = config['rope_scaling'] as Record<string, unknown>;
    const alike = { ...block, long_factor: block['short_factor'] };
    const found = (await run({ ...config, rope_scaling: alike })).candidates[0]!.switch!;
    expect(found.above.long).toEqual(found.above.short);
    expect(found.stale.languageLoss).toEqual({ value: 0, low: 0, high: 0 });
  });
});

import { describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import { type Report, ReportSchema, VOLATILE_KEYS } from '../../src/report/schema/report.js';
import { openSession } from '../../src/subjects/bundled/session.js';
import { modelConfig } from '../helpers/model-config.js';

const llama2 = modelConfig('Llama-2-7b-hf');
const gemma2 = modelConfig('gemma-2-9b-it');
const base = { preset: 'quick', threads: 1, worker: false, device: 'cpu', samples: 4 } as const;

const stable = (report: Report): unknown =>
  Object.fromEntries(
    Object.entries(report).filter(([key]) => !(VOLATILE_KEYS as readonly string[]).includes(key)),
  );

describe('evaluate', () => {
  it('gives the same report for the same seed', async () => {
    const options = { ...base, candidates: parseCandidates('yarn:2') };
    const [a, b] = [await evaluate(llama2, options), await evaluate(llama2, options)];
    expect(stable(a)).toEqual(stable(b));
    const other = await evaluate(llama2, { ...options, seed: 2 });
    expect(other.candidates[1]!.needle).not.toEqual(a.candidates[1]!.needle);
    for (const report of [a, b, other]) ReportSchema.parse(report);
  });

  it('finds a candidate that equals the reference to change nothing', async () => {
    const report = await evaluate(llama2, { ...base, candidates: parseCandidates('none') });
    const [reference, none] = report.candidates;
    expect(none!.needle).toEqual(reference!.needle);
    expect(none!.short!.lossChange).toEqual({ value: 0, low: 0, high: 0 });
    expect(none!.groups[0]!.changed).toBe(false);
  });

  it('sees what real models show: unscaled fails, linear costs, YaRN reaches', async () => {
    const candidates = parseCandidates('linear:4,ntk:4,yarn:4,dynamic:1');
    const report = await evaluate(llama2, { ...base, samples: 6, candidates });
    const [reference, linear, ntk, yarn, dynamic] = report.candidates;
    expect(reference!.shortOnModels).toBeUndefined();
    expect(linear!.shortOnModels!.high).toBeGreaterThan(linear!.short!.lossChange.value);
    expect(reference!.needle[0]!.accuracy.value).toBeGreaterThan(0.95);
    expect(reference!.needle.at(-1)!.accuracy.value).toBeLessThan(0.2);
    expect(reference!.reach!.multiple).toBeLessThan(2);
    expect(linear!.short!.lossChange.low).toBeGreaterThan(0.2);
    expect(yarn!.short!.lossChange.value).toBeLessThan(linear!.short!.lossChange.value / 4);
    expect(dynamic!.short!.lossChange.value).toBe(0);
    expect(yarn!.reach!.multiple).toBeGreaterThan(ntk!.reach!.multiple);
    expect(yarn!.score!).toBeLessThan(ntk!.score!);
  });

  it('measures lengths that were asked for beside the ladder', async () => {
    // Each length has its own table, and the lengths are so close that their texts overlap.
    const candidates = parseCandidates('yarn:2,dynamic:1');
    const report = await evaluate(llama2, {
      ...base,
      candidates,
      target: 8192,
      lengths: [2048, 6600],
    });
    expect(report.candidates[1]!.needle.map((n) => n.tokens)).toEqual(
      expect.arrayContaining([2048, 4096, 6600, 8192]),
    );
  });

  it('scores alike whatever lengths are asked for besides', async () => {
    const options = { ...base, candidates: parseCandidates('yarn:2'), target: 8192 };
    const [plain, besides] = [
      await evaluate(llama2, options),
      await evaluate(llama2, { ...options, lengths: [4110, 4600] }),
    ];
    const tokens = (report: Report) => report.settings.ladder.map((rung) => rung.tokens);
    expect(tokens(besides)).toEqual([...tokens(plain), 4600].sort((a, b) => a - b));
    // The contexts have other questions, so facts differ; the text does not.
    expect(besides.candidates[1]!.score).toBe(plain.candidates[1]!.score);
  });

  it('gives local layers the table that a dynamic scaling has at the target', async () => {
    const report = await evaluate(gemma2, {
      ...base,
      samples: 1,
      candidates: parseCandidates('dynamic:1,ntk:4'),
      target: 32_768,
    });
    const [, dynamic, ntk] = report.candidates;
    const stretch = (c: typeof ntk) => c!.groups.map((group) => group.maxStretch);
    expect(stretch(dynamic)).toEqual(stretch(ntk));
    expect(dynamic!.local[0]!.short).toEqual(ntk!.local[0]!.short);
  });

  it('keeps the finished cells of an interrupted run', async () => {
    const stop = new AbortController();
    let runs = 0;
    const report = await evaluate(llama2, {
      ...base,
      candidates: parseCandidates('yarn:2,ntk:2'),
      signal: stop.signal,
      openEngine: async (request) => {
        const engine = await openSession(request);
        return {
          info: engine.info,
          close: () => engine.close(),
          run: (batch) => {
            if (++runs === 8) stop.abort();
            return engine.run(batch);
          },
        };
      },
    });
    expect(report.status).toBe('interrupted');
    ReportSchema.parse(report);
    expect(report.candidates.at(-1)!.score).toBeNull();
  });

  it.each([
    ['a target inside the window', { target: 2048 }, 'target_too_short'],
    ['a target beyond what can be probed', { target: 4096 * 64 }, 'target_too_long'],
  ])('refuses %s', async (_, options, kind) => {
    await expect(evaluate(llama2, { ...base, ...options })).rejects.toMatchObject({
      exitCode: 2,
      kind,
    });
  });

  it('takes the reference from the config before a change', async () => {
    const changed = JSON.stringify({
      ...(JSON.parse(llama2) as object),
      max_position_embeddings: 16384,
      rope_scaling: { type: 'linear', factor: 4 },
    });
    const candidates = parseCandidates('as-configured');
    const report = await evaluate(changed, { ...base, candidates, base: llama2 });
    expect(report.reference).toMatchObject({ kind: 'unscaled', trainedWindow: 4096 });
    expect(report.target.tokens).toBe(16384);
    expect(report.candidates[1]!.short!.lossChange.low).toBeGreaterThan(0.2);
  });
});

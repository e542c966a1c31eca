import { expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import { perContextDefect } from '../../src/gate/baseline.js';
import { pairedChange, samplesOf } from '../../src/gate/metrics.js';
import { mostLong, PRESETS } from '../../src/probes/presets.js';
import { type CandidateReport, type Report, ReportSchema } from '../../src/report/schema/report.js';
import { settingsUsedWords } from '../../src/report/sections/conditions.js';
import { openSession } from '../../src/subjects/bundled/session.js';
import { modelConfig } from '../helpers/model-config.js';

const qwen = modelConfig('Qwen2.5-7B-Instruct');
const options = {
  preset: 'quick',
  threads: 1,
  worker: false,
  device: 'cpu',
  candidates: parseCandidates('linear:4,yarn:4'),
} as const;
const row = (report: Report, label: string): CandidateReport =>
  report.candidates.find((c) => c.label === label)!;
const atTarget = (report: Report, label: string) =>
  row(report, label).needle.find((n) => n.tokens === report.target.tokens)!;

const report = await evaluate(qwen, options);

it('gives more contexts to the candidate that is undecided, and to no other', () => {
  const given = row(report, 'yarn:4').longContexts;
  expect([12, 24]).toContain(given);
  for (const label of ['reference', 'linear:4'])
    expect(row(report, label).longContexts, label).toBeUndefined();
  const perContext = atTarget(report, 'linear:4').total / PRESETS.quick.long;
  expect(atTarget(report, 'yarn:4').total).toBe(given! * perContext);
  expect(settingsUsedWords(report)).toContain(`${given} for yarn:4`);
});

it('judges it on the contexts that as many samples give to all', async () => {
  const samples = row(report, 'yarn:4').longContexts!;
  const all = await evaluate(qwen, {
    ...options,
    candidates: parseCandidates('yarn:4'),
    samples,
  });
  expect(atTarget(report, 'yarn:4').correct).toBe(atTarget(all, 'yarn:4').correct);
  expect(atTarget(report, 'yarn:4').byDistance).toEqual(atTarget(all, 'yarn:4').byDistance);
  expect(row(all, 'yarn:4').longContexts).toBeUndefined();
});

it('asks no farther than the target in them, where a policy asks beyond it', async () => {
  const beyond = await evaluate(qwen, { ...options, lengths: [163_840] });
  const { needle, longContexts } = row(beyond, 'yarn:4');
  expect(longContexts).toBeGreaterThan(PRESETS.quick.long);
  expect(needle.at(-1)!.multiple).toBe(5);
  expect(needle.at(-1)!.total).toBe(row(beyond, 'linear:4').needle.at(-1)!.total);
});

it('keeps rows per context that fit the report and pair with shorter ones', async () => {
  expect(perContextDefect(ReportSchema.parse(JSON.parse(JSON.stringify(report))))).toBeUndefined();
  const sample = samplesOf(report, row(report, 'yarn:4'))!.needle(
    row(report, 'yarn:4').needle.length - 1,
  );
  expect(sample.size).toBe(row(report, 'yarn:4').longContexts);
  const shorter = { ...sample, size: PRESETS.quick.long, at: () => 0.25 };
  const first = sample.at([0, 1, 2, 3, 4, 5]);
  expect(pairedChange(shorter, sample)!.value).toBeCloseTo(first - 0.25);
});

it('goes on where it was stopped among them', async () => {
  const stop = new AbortController();
  const lengths: number[] = [];
  // Three scalings run on the preset's contexts, which also go to the target, and two on further
  // contexts.
  const runs = 3 * (PRESETS.quick.long + PRESETS.quick.longText) + 2;
  const unfinished = await evaluate(qwen, {
    ...options,
    signal: stop.signal,
    openEngine: async (request) => {
      const engine = await openSession(request);
      return {
        ...engine,
        info: engine.info,
        close: () => engine.close(),
        run: (batch) => {
          lengths.push(batch.length);
          if (lengths.filter((n) => n === 1024).length === runs) stop.abort();
          return engine.run(batch);
        },
      };
    },
  });
  expect(unfinished.status).toBe('interrupted');
  expect(lengths.filter((n) => n === 1024)).toHaveLength(runs);
  const resumed = await evaluate(qwen, { ...options, resume: unfinished });
  expect(resumed.candidates).toEqual(report.candidates);
});

it('is bounded by the preset, and off where --samples says how many', () => {
  expect(mostLong(PRESETS.standard, undefined)).toBe(PRESETS.thorough.long);
  expect(mostLong(PRESETS.standard, 12)).toBe(PRESETS.standard.long);
});

it('leaves the reference alone where a dynamic scaling shares its table within the window', async () => {
  const found = await evaluate(qwen, {
    ...options,
    target: 65_536,
    candidates: parseCandidates('dynamic:1'),
  });
  expect(row(found, 'dynamic:1').longContexts).toBeGreaterThan(PRESETS.quick.long);
  expect(row(found, 'reference').longContexts).toBeUndefined();
  expect(() => ReportSchema.parse(found)).not.toThrow();
}, 60_000);

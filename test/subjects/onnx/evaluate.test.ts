import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCandidates } from '../../../src/candidates/definition.js';
import { evaluate, spearman } from '../../../src/evaluate.js';
import { parseReport } from '../../../src/gate/baseline.js';
import { judgeReport } from '../../../src/gate/judge.js';
import { defaultPolicy } from '../../../src/gate/policy.js';
import type { RunEstimate } from '../../../src/options.js';
import { honestyWords } from '../../../src/report/sections/conditions.js';
import type { Report } from '../../../src/report/schema/report.js';
import { reportSections } from '../../../src/report/sections/index.js';
import { sectionsToDraw } from '../../../src/report/sections/section.js';
import { onnxDecoder } from '../../../src/subjects/onnx/entry.js';
import { type Decoder, DecoderScorer } from '../../../src/subjects/onnx/subject.js';
import type { Context } from '../../../src/probes/contexts.js';
import { makeReport } from '../../helpers/report.js';

const FOLDER = 'fixtures/onnx-decoders';
/** The fixtures' decoder, with a claimed trained length that leaves room for facts. */
const config = JSON.stringify({
  ...(JSON.parse(readFileSync(`${FOLDER}/config.json`, 'utf8')) as object),
  max_position_embeddings: 512,
});
/** As few tokens as will do. */
const TEXT = 'The river rose in the night. Nobody woke. '.repeat(40);
const withKeys = (keys: object): string =>
  JSON.stringify({ ...(JSON.parse(config) as object), ...keys });
const run = (file: string, more: object = {}, text = config): Promise<Report> =>
  evaluate(text, {
    model: { path: FOLDER, file, texts: [TEXT] },
    target: 1024,
    candidates: parseCandidates('yarn:2,linear:2,dynamic:1'),
    preset: 'quick',
    samples: 1,
    device: 'cpu',
    threads: 1,
    worker: false,
    ...more,
  });

describe('a report on a user’s own decoder', () => {
  let report: Report;
  beforeAll(async () => {
    report = await run('torch.onnx');
  }, 120_000);

  it('is about the decoder, with the probe’s word beside it', () => {
    expect(report.status).toBe('complete');
    expect(report.subject).toMatchObject({
      kind: 'onnx-decoder',
      name: 'torch.onnx',
      forms: ['computed'],
      precision: 'float32',
      textRepeats: true,
    });
    const labels = report.candidates.map(({ label }) => label);
    expect(report.probed?.candidates.map(({ label }) => label)).toEqual(labels);
    expect(report.probed?.probeModel.name).toMatch(/^c0/);
    expect(report.candidates.every((each) => each.shortOnModels === undefined)).toBe(true);
  });

  it('measures every length of the ladder, and no number is missing', () => {
    for (const { short, needle } of report.candidates) {
      expect(short?.counts.languageTokens).toBeGreaterThan(100);
      expect(short?.counts.copyTokens).toBeGreaterThan(0);
      expect(needle.map(({ tokens }) => tokens)).toContain(1024);
      expect(needle.every(({ total }) => total > 0)).toBe(true);
    }
    expect(JSON.stringify(report)).not.toMatch(/NaN/);
  });

  it('is read back as it was written', () => {
    expect(parseReport(JSON.stringify(report), 'report.json')).toEqual(
      JSON.parse(JSON.stringify(report)),
    );
  });

  it('says in every form whose figures they are', () => {
    const sections = sectionsToDraw(reportSections(report), false, []);
    expect(sections.map(({ id }) => id)).toContain('tiers');
    expect(sections.find(({ id }) => id === 'summary')?.title).toBe(onnxDecoder.title);
    expect(honestyWords(report)).not.toBe(honestyWords(makeReport()));
  });

  it('is the same in another form of the same weights', async () => {
    const other = await run('genai.onnx');
    const losses = (r: Report) =>
      r.candidates.flatMap((c) => c.needle.map((rung) => rung.lossChange.value));
    losses(other).forEach((loss, i) => expect(loss).toBeCloseTo(losses(report)[i]!, 3));
    // Another export of the same weights is another subject: baselines must not mix them up.
    expect(other.subject.graphSha256).not.toBe(report.subject.graphSha256);
  }, 120_000);
});

describe('the table of the export beside that of the config', () => {
  const few = { candidates: parseCandidates('none'), target: 512 };
  const found = async (keys: object) =>
    (await run('torch.onnx', few, withKeys(keys))).findings.filter(({ code }) => code === 'RE090');

  it('is a finding where it is another', async () => {
    expect(await found({ rope_theta: 50_000 })).toMatchObject([{ args: { unscaled: false } }]);
  }, 60_000);

  it('is a finding where the export leaves the scaling of the config out', async () => {
    const rope_scaling = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 512 };
    expect(await found({ rope_scaling })).toMatchObject([
      { args: { layerType: 'full_attention', unscaled: true } },
    ]);
  }, 60_000);

  it('is none where both are the same', async () => {
    expect(await found({})).toEqual([]);
  }, 60_000);
});

it('says before the start what it will take, and keeps that beside what it took', async () => {
  const told: RunEstimate[] = [];
  const { timings } = await run('genai.onnx', { onEstimate: (e: RunEstimate) => told.push(e) });
  expect(told).toHaveLength(1);
  expect(told[0]!.memory).toBeGreaterThan(100);
  expect(timings.estimatedMs).toBe(told[0]!.milliseconds);
  expect(timings.estimatedMs).toBeGreaterThan(0);
}, 60_000);

it.each([
  ['nothing', ['', ' \n\n ']],
  ['next to nothing', ['Nobody woke.']],
])('refuses texts of %s', async (_, texts) => {
  const model = { path: FOLDER, file: 'genai.onnx', texts };
  await expect(run('genai.onnx', { model })).rejects.toMatchObject({
    kind: 'text_short',
    exitCode: 2,
  });
});

it('keeps to a limit of memory, and says so before anything is asked', async () => {
  const told: RunEstimate[] = [];
  const within = (memory: number) =>
    run('torch.onnx', {
      model: { path: FOLDER, file: 'torch.onnx', texts: [TEXT], memory },
      candidates: parseCandidates('none'),
      onEstimate: (estimate: RunEstimate) => told.push(estimate),
    });
  await expect(within(100)).rejects.toMatchObject({ kind: 'onnx_memory', exitCode: 3 });
  expect(told).toEqual([]);
  await within(400);
  expect(told[0]!.memory).toBeLessThanOrEqual(400);
}, 60_000);

it('goes on where an interrupted run on a decoder stopped, to the same report', async () => {
  const options = { target: 1024, samples: 2, candidates: parseCandidates('yarn:2,linear:2') };
  const whole = await run('genai.onnx', options);
  const stop = new AbortController();
  let questions = 0;
  const part = await run('genai.onnx', {
    ...options,
    signal: stop.signal,
    onProgress: () => void (++questions === 60 && stop.abort()),
  });
  expect(part.status).toBe('interrupted');
  const saved = JSON.parse(JSON.stringify(part)) as Report;
  expect(saved.unfinished!.jobs.length).toBeGreaterThan(0);
  const asked: string[] = [];
  const resumed = await run('genai.onnx', {
    ...options,
    resume: saved,
    onProgress: ({ label }: { label: string }) => asked.push(label),
  });
  const lasting = ({ createdAt: _, timings: __, ...rest }: Report) => rest;
  expect(lasting(resumed)).toEqual(lasting(whole));
  // Answers on other texts must not be mixed with these.
  const other = {
    ...options,
    resume: saved,
    model: { path: FOLDER, file: 'genai.onnx', texts: [`Another text. ${TEXT}`] },
  };
  await expect(run('genai.onnx', other)).rejects.toMatchObject({ kind: 'not_comparable' });
}, 120_000);

it('of weights that find no facts, the advice is by their losses', async () => {
  const report = await run('genai.onnx', { samples: 2 });
  expect(report.candidates[0]?.reach?.multiple).toBe(0);
  expect(report.recommendation).toMatchObject({ code: 'unclear', candidate: null });
  expect(new Set(report.candidates.slice(1).map(({ verdict }) => verdict))).toEqual(
    new Set(['unclear']),
  );
  // Facts of such weights must not pass a gate either, because they cannot lose what they never
  // knew.
  const { status, rules } = judgeReport({
    report,
    policy: defaultPolicy(),
    candidates: ['yarn:2'],
    kvCacheGiB: () => undefined,
  });
  expect(status).not.toBe('passed');
  const ofFacts = rules.filter(({ metric }) => metric !== 'short.lossChange');
  expect(ofFacts).toHaveLength(3);
  expect(ofFacts.every(({ outcome }) => outcome === 'unverifiable')).toBe(true);
}, 60_000);

it('rank correlation shares ranks between ties', () => {
  expect(spearman([[1, 2], [2, 4], [3, 8]])).toBe(1); // prettier-ignore
  expect(spearman([[1, 8], [2, 4], [3, 2]])).toBe(-1); // prettier-ignore
  expect(spearman([[1, 1], [1, 1], [1, 1]])).toBeNull(); // prettier-ignore
  expect(spearman([[1, 1], [2, 2]])).toBeNull(); // prettier-ignore
});

it('who stops a run does not wait for the end of a context', async () => {
  let end: (error: Error) => void;
  const decoder = {
    run: () => new Promise<never>((_, reject) => (end = reject)),
    abandon: () => end(new Error('ended')),
    close: async () => {},
  } as unknown as Decoder;
  const stop = new AbortController();
  const context = { tokens: [1, 2], rows: [0], targets: [2] } as unknown as Context;
  const treatment = { digest: '', tables: [{ invFreq: new Float64Array(1), attentionScaling: 1 }] };
  const asked = new DecoderScorer(decoder, [0], { groups: [] }).score(
    { contexts: [context], length: 2, treatment },
    stop.signal,
  );
  stop.abort();
  await expect(asked).rejects.toThrow('ended');
});

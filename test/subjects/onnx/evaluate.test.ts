import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCandidates } from '../../../src/candidates/definition.js';
import { evaluate, spearman } from '../../../src/evaluate.js';
import { parseReport } from '../../../src/gate/baseline.js';
import type { Report } from '../../../src/report/schema/report.js';
import { reportSections } from '../../../src/report/sections/index.js';
import { textOf } from '../../../src/report/terminal.js';

const FOLDER = 'fixtures/onnx-decoders';
/** The fixtures' decoder, said to be trained on lengths that have room for facts. */
const config = JSON.stringify({
  ...(JSON.parse(readFileSync(`${FOLDER}/config.json`, 'utf8')) as object),
  max_position_embeddings: 512,
});
const run = (file: string, more: object = {}): Promise<Report> =>
  evaluate(config, {
    model: { path: FOLDER, file, texts: ['The river rose in the night. Nobody woke.'] },
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
    const text = textOf(reportSections(report), { color: false, columns: 100, plots: false });
    expect(text).toMatch(/Measured: on your own weights/);
    expect(text).toMatch(/Probed and measured/);
    expect(text).not.toMatch(/ranks RoPE geometry/);
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

it('an export with another table than the config names is a finding', async () => {
  const { findings } = await run('torch.onnx', {
    candidates: parseCandidates('none'),
    trainedWindow: 512,
    base: JSON.stringify({ ...(JSON.parse(config) as object), rope_theta: 50_000 }),
  });
  expect(findings.map(({ code }) => code)).toContain('RE090');
}, 120_000);

it('rank correlation shares ranks between ties', () => {
  expect(spearman([[1, 2], [2, 4], [3, 8]])).toBe(1); // prettier-ignore
  expect(spearman([[1, 8], [2, 4], [3, 2]])).toBe(-1); // prettier-ignore
  expect(spearman([[1, 1], [1, 1], [1, 1]])).toBeNull(); // prettier-ignore
  expect(spearman([[1, 1], [2, 2]])).toBeNull(); // prettier-ignore
});

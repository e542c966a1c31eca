import type { ProbeModelReport } from '../../src/subjects/bundled/entry.js';
import {
  type CandidateReport,
  type Interval,
  type Needle,
  type Report,
  REPORT_SCHEMA_VERSION,
  ReportSchema,
  type Short,
} from '../../src/report/schema/report.js';

/** Hand-made reports with plausible numbers. The schema checks that they are possible. */

const WINDOW = 32_768;
const LADDER = [1, 1.5, 2, 3, 4];
const BINS = 8;

export function interval(value: number, half: number): Interval {
  return { value, low: value - half, high: value + half };
}

export function needleAt(multiple: number, accuracyOf: (share: number) => number): Needle {
  const byDistance = Array.from({ length: BINS }, (_, bin) => ({
    from: bin / BINS,
    to: (bin + 1) / BINS,
    correct: Math.round(100 * accuracyOf((bin + 0.5) / BINS)),
    total: 100,
  }));
  const correct = byDistance.reduce((sum, cell) => sum + cell.correct, 0);
  const share = correct / (100 * BINS);
  return {
    multiple,
    tokens: multiple * WINDOW,
    accuracy: { value: share, low: Math.max(0, share - 0.03), high: Math.min(1, share + 0.03) },
    relative: share,
    loss: interval(2 * (1 - share) + 0.05, 0.04),
    languageLoss: interval(1.9 + (1 - share), 0.02),
    lossChange: interval(1 - share, 0.02),
    correct,
    total: 100 * BINS,
    byDistance,
  };
}

export function short(accuracyChange: number, lossChange: number): Short {
  return {
    accuracyChange: interval(accuracyChange, 0.008),
    lossChange: interval(lossChange, 0.006),
    copyAccuracyChange: interval(accuracyChange / 2, 0.01),
    copyLossChange: interval(lossChange / 2, 0.01),
    byLength: [0.5, 1].map((multiple) => ({
      multiple,
      tokens: multiple * WINDOW,
      accuracy: interval(0.98 + accuracyChange, 0.008),
      factLoss: 0.05 + lossChange,
      languageLoss: 1.9 + lossChange,
      copyAccuracy: 0.99,
      accuracyChange: interval(accuracyChange, 0.01),
      lossChange: interval(lossChange, 0.008),
    })),
    counts: {
      contexts: 48,
      textContexts: 96,
      facts: 1536,
      factsCorrect: Math.round(1536 * (0.98 + accuracyChange)),
      languageTokens: 9000,
      copyTokens: 1200,
      copyCorrect: 1180,
    },
  };
}

export function candidate(
  label: string,
  verdict: CandidateReport['verdict'],
  reachMultiple: number,
  change: Short,
): CandidateReport {
  return {
    label,
    role: verdict === 'reference' ? 'reference' : 'candidate',
    groups: [
      {
        layerType: 'full_attention',
        ropeType: label.split(':')[0] ?? 'default',
        attentionScaling: label.startsWith('yarn') ? 1.1386 : 1,
        maxStretch: label === 'none' ? 1 : 4,
        changed: verdict !== 'reference',
      },
    ],
    short: change,
    needle: LADDER.map((multiple) =>
      needleAt(multiple, (share) => (share * multiple <= reachMultiple ? 0.98 : 0.06)),
    ),
    reach: {
      multiple: reachMultiple,
      tokens: reachMultiple * WINDOW,
      low: Math.max(0, reachMultiple - 0.5),
      high: reachMultiple,
      censored: reachMultiple >= 4,
    },
    parts: null,
    local: [],
    score: 4 - reachMultiple,
    verdict,
  };
}

export function makeReport(changes: Partial<Report> = {}): Report {
  return ReportSchema.parse({
    schemaVersion: REPORT_SCHEMA_VERSION,
    tool: { name: 'rope-eval', version: '0.1.0' },
    createdAt: '2025-01-02T03:04:05.000Z',
    status: 'complete',
    config: {
      source: 'configs/Qwen2.5-7B-Instruct.json',
      sha256: 'a'.repeat(64),
      modelType: 'qwen2',
      architecture: 'Qwen2ForCausalLM',
    },
    reference: {
      kind: 'unscaled',
      trainedWindow: WINDOW,
      evidence: 'no-scaling',
      criticalFraction: 0.38,
      theta: 1e6,
      ropeType: 'default',
    },
    target: { multiple: 4, tokens: 4 * WINDOW },
    settings: {
      preset: 'standard',
      seed: 0,
      contexts: { short: 48, shortText: 96, long: 16, longText: 8, apart: 8 },
      threads: 2,
      device: 'cpu',
      deviceAsked: 'auto',
      ladder: LADDER.map((multiple) => ({ multiple, tokens: multiple * WINDOW })),
    },
    subject: {
      kind: 'probe-model',
      name: 'c038-w256',
      criticalFraction: 0.38,
      window: 256,
      theta: 395.6,
      seed: 1,
      weightsSha256: 'b'.repeat(64),
      graphSha256: 'c'.repeat(64),
      inRange: true,
    },
    runtime: { onnxruntime: '1.30.0', node: '20.20.2', platform: 'linux-x64' },
    chance: 0.0625,
    findings: [],
    candidates: [
      candidate('none', 'reference', 1, short(0, 0)),
      candidate('linear:4', 'fails-short', 4, short(-0.31, 0.286)),
      candidate('ntk:4', 'falls-short', 3, short(-0.004, 0.037)),
      candidate('dynamic:4', 'reaches', 4, short(0, 0)),
      candidate('yarn:4', 'reaches-at-a-cost', 4, short(-0.012, 0.042)),
    ],
    recommendation: { code: 'use', candidate: 'dynamic:4', tied: ['yarn:4'] },
    timings: { totalMs: 12_345, engineMs: 11_000, tokens: 1_000_000 },
    ...changes,
  });
}

/** The probe model that answered a report of `makeReport`. */
export function probeOf({ subject }: Report): ProbeModelReport {
  if (subject.kind !== 'probe-model') throw new Error('the helper makes reports of the probe');
  return subject;
}

/** A user's own decoder as the one who answered. */
export const OWN_DECODER: Report['subject'] = {
  kind: 'onnx-decoder',
  name: 'mine.onnx',
  window: 32_768,
  weightsSha256: 'a'.repeat(64),
  graphSha256: 'b'.repeat(64),
  producer: 'onnxruntime-genai',
  forms: ['RotaryEmbedding'],
  precision: 'float32',
  editDifference: 1e-5,
  textTokens: 30_000,
  textRepeats: false,
};

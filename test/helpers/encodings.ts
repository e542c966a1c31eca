import type { CompareEncodingsOptions } from '../../src/options.js';
import {
  type EncodingRow,
  ENCODINGS_SCHEMA_VERSION,
  type EncodingsReport,
} from '../../src/encodings/schema.js';

const point = (value: number) => ({ value, low: value, high: value });

/** Makes a row that found these shares of the facts at 1x, 2x, ... */
export function makeRow(row: Partial<EncodingRow>, found: readonly number[]): EncodingRow {
  return {
    label: row.encoding ?? 'rope',
    encoding: 'rope',
    scaling: null,
    model: 'some-s1',
    weightsSha256: '0'.repeat(64),
    entries: null,
    needle: found.map((share, rung) => ({
      multiple: 2 ** rung,
      tokens: 256 * 2 ** rung,
      accuracy: point(share),
      relative: share / found[0]!,
      loss: point(1 - share),
      languageLoss: point(0.25),
      lossChange: point(0.125 * rung),
      correct: Math.round(100 * share),
      total: 100,
      byDistance: [0, 0.2, 0.4, 0.6, 0.8].map((from) => ({
        from,
        to: from + 0.2,
        correct: Math.round(20 * share),
        total: 20,
      })),
    })),
    reach: { multiple: 1, tokens: 256, low: 1, high: 2, censored: false },
    ...row,
  };
}

export const ROWS: readonly EncodingRow[] = [
  makeRow({ encoding: 'rope' }, [1, 0.25, 0.1, 0]),
  makeRow({ encoding: 'rope', scaling: 'yarn:4', label: 'rope yarn:4' }, [1, 1, 0.9, 0.3]),
  makeRow({ encoding: 'nope' }, [0.9, 0.4, 0.2, 0.1]),
  makeRow({ encoding: 'learned', entries: 256 }, [0.97]),
  makeRow(
    {
      encoding: 'alibi',
      reach: { multiple: 8, tokens: 2048, low: 4, high: 8, censored: true },
    },
    [0.98, 0.9, 0.8, 0.7],
  ),
  makeRow({ encoding: 'sinusoidal', reach: null }, [0.02, 0.01, 0, 0]),
];

export function makeEncodingsReport(changes: Partial<EncodingsReport> = {}): EncodingsReport {
  return {
    schemaVersion: ENCODINGS_SCHEMA_VERSION,
    tool: { name: 'rope-eval', version: '0.0.0' },
    createdAt: '2026-01-01T00:00:00.000Z',
    status: 'complete',
    findings: [],
    settings: {
      preset: 'standard',
      seed: 1,
      contexts: { long: 14, longText: 6 },
      threads: 2,
      deviceAsked: 'auto',
      device: 'cpu',
      ladder: [1, 2, 4, 8].map((multiple) => ({ multiple, tokens: 256 * multiple })),
    },
    graphSha256: '1'.repeat(64),
    runtime: { onnxruntime: '1.30.0', node: '20.20.2', platform: 'linux-x64' },
    chance: 0.026,
    rows: [...ROWS],
    timings: { totalMs: 1, tokens: 1 },
    ...changes,
  };
}

/** Stands in for a run of the twins: those that were asked for come back as rows. */
export async function compareEncodings({
  encodings = [],
}: CompareEncodingsOptions = {}): Promise<EncodingsReport> {
  return makeEncodingsReport({
    rows: ROWS.filter(
      (r) => encodings.some((name) => name === r.encoding) || (encodings.length && r === ROWS[0]),
    ),
  });
}

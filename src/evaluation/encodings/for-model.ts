import type { NotRope } from '../../config/types.js';
import type { EncodingName } from '../../encodings/index.js';
import { finding } from '../../finding-catalogue/index.js';
import type { Finding } from '../../findings.js';
import type { EncodingRow, EncodingsReport } from '../../report/encodings-schema.js';

/** The twin that stands for what a model uses. A recurrent state has none among decoders. */
const TWINS: Readonly<Record<NotRope['encoding'], EncodingName | undefined>> = Object.freeze({
  alibi: 'alibi',
  learned: 'learned',
  relative: 't5',
  sinusoidal: 'sinusoidal',
  none: 'nope',
  'state-space': undefined,
});

export function twinOf(model: NotRope): EncodingName | undefined {
  return TWINS[model.encoding];
}

/** The rows of a comparison that a model is concerned with: its twin's, and unscaled RoPE's. */
export function twinRow(model: NotRope, rows: readonly EncodingRow[]): EncodingRow | undefined {
  return rows.find((row) => row.encoding === twinOf(model));
}

/** The twin's row in words, beside unscaled RoPE; nothing where there is no twin. */
export function twinFindings(model: NotRope, rows: readonly EncodingRow[]): readonly Finding[] {
  const row = twinRow(model, rows);
  const rope = rows.find((one) => one.encoding === 'rope' && one.scaling === null);
  if (!row || !rope) return [];
  const facts = ({ needle }: EncodingRow): string[] =>
    needle.map((n) => `${n.multiple}x ${n.accuracy.value.toFixed(4)}`);
  const args = {
    twin: row.encoding,
    window: row.needle[0]!.tokens,
    facts: facts(row),
    rope: facts(rope),
    ...(row.entries === null ? {} : { entries: row.entries }),
  };
  return [finding('encoding_twin', 'model_type', args)];
}

/** A comparison as the answer for one model without RoPE. */
export function forModel(
  report: EncodingsReport,
  model: NotRope,
  config: { readonly source: string; readonly sha256: string },
): EncodingsReport {
  return {
    ...report,
    config: {
      ...config,
      modelType: model.modelType,
      architecture: model.architecture ?? null,
      encoding: model.encoding,
      twin: twinRow(model, report.rows)?.label ?? null,
    },
    findings: [...model.findings, ...twinFindings(model, report.rows)],
  };
}

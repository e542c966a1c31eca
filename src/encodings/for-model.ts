import { finding, type Finding } from '../findings/index.js';
import type { NotRope } from '../model/types.js';
import { damaged, parseBundled, readBundled } from '../subjects/bundled/family.js';
import type { EncodingName } from './registry.js';
import { type EncodingRow, type EncodingsReport, EncodingsSchema } from './schema.js';
import { loadEncodings } from './twins.js';

const FILE = 'encodings-measured.json';

/**
 * The comparison as it was measured when the twins were bundled, for answers without a runtime:
 * `rope-eval encodings --preset thorough -o encodings-measured.json`.
 *
 * @throws RopeEvalError exit 3 where it is missing or of other twins
 */
export async function measuredEncodings(): Promise<EncodingsReport> {
  const report = parseBundled(FILE, await readBundled(FILE), EncodingsSchema);
  const { rope, twins } = await loadEncodings();
  const measured = new Set(report.rows.map((row) => row.weightsSha256));
  if (![rope, ...twins].every((twin) => measured.has(twin.weightsSha256)))
    throw damaged(`${FILE} was measured on other twins than encodings.json names`);
  return report;
}

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
  const twin = twinOf(model);
  const row = twinRow(model, rows);
  const rope = rows.find((one) => one.encoding === 'rope' && one.scaling === null);
  if (!twin || !row || !rope) return [];
  const args = {
    twin,
    window: row.needle[0]!.tokens,
    facts: factsOf(row),
    rope: factsOf(rope),
    ...(row.entries === null ? {} : { entries: row.entries }),
  };
  return [finding('encoding_twin', 'model_type', args)];
}

/** Share of the facts that was found, by window multiple. */
function factsOf({ needle }: EncodingRow): Record<string, number> {
  return Object.fromEntries(needle.map((n) => [n.multiple, n.accuracy.value]));
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

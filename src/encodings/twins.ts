import { z } from 'zod';
import { finding, type Finding } from '../findings/index.js';
import type { NotRope } from '../model/types.js';
import { loadFamily, parseBundled } from '../subjects/bundled/family.js';
import { damaged, type LoadedFiles, loadFiles, readBundled } from '../subjects/bundled/files.js';
import { ENCODING_NAMES, type EncodingName, type TrainedTable } from './registry.js';
import { type EncodingRow, type EncodingsReport, EncodingsSchema } from './schema.js';

const RopeSchema = z.object({
  name: z.string(),
  window: z.number().int(),
  theta: z.number(),
  seed: z.number().int(),
  weights: z.string(),
  weightsSha256: z.string(),
});

const TwinSchema = RopeSchema.extend({
  encoding: z.enum(ENCODING_NAMES),
  /** The encoding's own table in the file of the weights: int8, with one float32 scale per row. */
  table: z
    .object({
      shape: z.tuple([z.number().int(), z.number().int()]),
      values: z.number().int(),
      scales: z.number().int(),
    })
    .nullable(),
});

/** The schema of `encodings.json`: models that differ only in their position encoding. */
const CardSchema = z.object({
  version: z.literal(1),
  shape: z.object({
    layers: z.number().int(),
    width: z.number().int(),
    heads: z.number().int(),
    head_dim: z.number().int(),
    window: z.number().int(),
  }),
  graph: z.string(),
  graphSha256: z.string(),
  languageSha256: z.string(),
  rope: RopeSchema,
  twins: z.array(TwinSchema).min(1),
});

export type EncodingsCard = z.infer<typeof CardSchema>;
export type RopeTwin = z.infer<typeof RopeSchema>;
export type Twin = z.infer<typeof TwinSchema>;

/**
 * Loads the model card of the twins.
 *
 * @throws RopeEvalError exit 3 if files are missing or the twins belong to another family
 */
export async function loadEncodings(): Promise<EncodingsCard> {
  const card = parseBundled('encodings.json', await readBundled('encodings.json'), CardSchema);
  const family = await loadFamily();
  if (card.languageSha256 !== family.languageSha256)
    throw damaged('encodings.json and family.json are of different probe languages');
  return card;
}

/** Loads the files of a twin. */
export async function encodingsModel(
  name: string,
): Promise<LoadedFiles & Pick<EncodingsCard, 'shape'>> {
  const { twins, rope, graph, graphSha256, shape } = await loadEncodings();
  const found = [rope, ...twins].find((m) => m.name === name);
  if (!found) throw new Error(`no probe model ${name}`);
  return { ...(await loadFiles({ ...found, graph, graphSha256 })), shape };
}

/** Loads the table that was trained with a twin's weights; undefined if its encoding has none. */
export async function ownTable(twin: Twin): Promise<TrainedTable | undefined> {
  if (twin.table === null) return undefined;
  const { shape, values, scales } = twin.table;
  const [rows, columns] = shape;
  const data = await readBundled(twin.weights, twin.weightsSha256);
  const value = (_: unknown, i: number): number =>
    data.readInt8(values + i) * data.readFloatLE(scales + 4 * Math.floor(i / columns));
  return { values: Float32Array.from({ length: rows * columns }, value), rows, columns };
}

const FILE = 'encodings-measured.json';

/**
 * Loads the comparison that was measured when the twins were bundled, for answers without a
 * runtime. It was made by `rope-eval encodings --preset thorough -o encodings-measured.json`.
 *
 * @throws RopeEvalError exit 3 if it is missing or was measured on other twins
 */
export async function measuredEncodings(): Promise<EncodingsReport> {
  const report = parseBundled(FILE, await readBundled(FILE), EncodingsSchema);
  const { rope, twins } = await loadEncodings();
  const measured = new Set(report.rows.map((row) => row.weightsSha256));
  if (![rope, ...twins].every((twin) => measured.has(twin.weightsSha256)))
    throw damaged(`${FILE} was measured on other twins than encodings.json names`);
  return report;
}

/** The twin of a model's encoding. A recurrent state has none, since the twins are decoders. */
const TWINS: Readonly<Record<NotRope['encoding'], EncodingName | undefined>> = Object.freeze({
  alibi: 'alibi',
  learned: 'learned',
  relative: 't5',
  sinusoidal: 'sinusoidal',
  none: 'nope',
  'state-space': undefined,
});

/** Returns the encoding whose twin stands for a model without RoPE; undefined if there is none. */
export function twinOf(model: NotRope): EncodingName | undefined {
  return TWINS[model.encoding];
}

/** Returns the row of a model's twin in a comparison; undefined if there is none. */
export function twinRow(model: NotRope, rows: readonly EncodingRow[]): EncodingRow | undefined {
  return rows.find((row) => row.encoding === twinOf(model));
}

/** Reports the twin's results beside those of unscaled RoPE; nothing if there is no twin. */
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

/** Returns the share of the facts that was found, by window multiple. */
function factsOf({ needle }: EncodingRow): Record<string, number> {
  return Object.fromEntries(needle.map((n) => [n.multiple, n.accuracy.value]));
}

/** Turns a comparison into the answer for one model without RoPE. */
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

import { z } from 'zod';
import { damaged, loadFamily, parseBundled, readBundled } from '../subjects/bundled/family.js';
import { ENCODING_NAMES, type TrainedTable } from './registry.js';

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
  /** Table of the encoding's own, in the file of the weights: int8, and a float32 scale a row. */
  table: z
    .object({
      shape: z.tuple([z.number().int(), z.number().int()]),
      values: z.number().int(),
      scales: z.number().int(),
    })
    .nullable(),
});

/** `encodings.json`: models that are alike but for the position encoding. */
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
  /** The one with RoPE. */
  rope: RopeSchema,
  twins: z.array(TwinSchema).min(1),
});

export type EncodingsCard = z.infer<typeof CardSchema>;
export type RopeTwin = z.infer<typeof RopeSchema>;
export type Twin = z.infer<typeof TwinSchema>;

/**
 * The model card of the twins.
 *
 * @throws RopeEvalError exit 3: files are missing, or the twins are of another family
 */
export async function loadEncodings(): Promise<EncodingsCard> {
  const card = parseBundled('encodings.json', await readBundled('encodings.json'), CardSchema);
  const family = await loadFamily();
  if (card.languageSha256 !== family.languageSha256)
    throw damaged('encodings.json and family.json are of different probe languages');
  return card;
}

/** Files of a twin. */
export async function encodingsModel(name: string): Promise<{
  graph: Buffer;
  graphSha256: string;
  weights: Buffer;
  weightsSha256: string;
  shape: EncodingsCard['shape'];
}> {
  const { twins, rope, graph, graphSha256, shape } = await loadEncodings();
  const found = [rope, ...twins].find((m) => m.name === name);
  if (!found) throw new Error(`no probe model ${name}`);
  return {
    graph: await readBundled(graph, graphSha256),
    graphSha256,
    weights: await readBundled(found.weights, found.weightsSha256),
    weightsSha256: found.weightsSha256,
    shape,
  };
}

/** The table that was trained with a twin's weights; undefined where its encoding has none. */
export async function ownTable(twin: Twin): Promise<TrainedTable | undefined> {
  if (twin.table === null) return undefined;
  const { shape, values, scales } = twin.table;
  const [rows, columns] = shape;
  const data = await readBundled(twin.weights, twin.weightsSha256);
  const value = (_: unknown, i: number): number =>
    data.readInt8(values + i) * data.readFloatLE(scales + 4 * Math.floor(i / columns));
  return { values: Float32Array.from({ length: rows * columns }, value), rows, columns };
}

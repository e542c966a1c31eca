import { z } from 'zod';
import { EncodingRowSchema } from '../../encodings/schema.js';
import { CostSchema, GeometrySchema, SpanSchema } from '../../geometry/schema.js';
import type { ReadonlyDeep } from '../../json/parse.js';
import { REFERENCE_KINDS } from '../../model/types.js';
import { INSPECT_SCHEMA_VERSION } from '../../version.js';
import { ExportSchema } from '../../subjects/schema.js';
import { FindingSchema } from './report.js';

/** One interpretation of what the weights were trained with. */
const ReadingSchema = z.strictObject({
  kind: z.enum(REFERENCE_KINDS),
  trainedWindow: z.number(),
  /** Largest distance that the first layer type sees: the window, or less for local layers. */
  trainedRange: z.number(),
  /** For the first layer type; null if no pair turns. */
  criticalFraction: z.number().nullable(),
  criticalDimension: z.number().int(),
});

/** One rotary table and the layers that share it. */
const LayerTypeSchema = z.strictObject({
  /** Indices of the layers. */
  layers: z.array(z.number().int()),
  span: SpanSchema,
  ropeType: z.string(),
  theta: z.number(),
  headDim: z.number().int(),
  rotaryDim: z.number().int(),
  /** Where the two dimensions of a pair lie in a head. */
  layout: z.enum(['half', 'interleaved']),
  /** Tokens that the weights were trained on, according to the reference. */
  trainedWindow: z.number(),
  invFreq: z.array(z.number()).describe('Radians per token, one per pair.'),
  attentionScaling: z.number().describe('Multiplier on cosine and sine.'),
  layersWithoutRope: z.array(z.number().int()).describe('Of the whole model.'),
  softmaxScale: z.number().describe('Of the whole model.'),
  /** Parameters of the rope type, except theta and the dimension. */
  parameters: z.record(z.string(), z.union([z.number(), z.boolean(), z.array(z.number())])),
});

/** What `rope-eval inspect --json` prints. */
export const InspectSchema = z.strictObject({
  schemaVersion: z.literal(INSPECT_SCHEMA_VERSION),
  /** Path of the config; null if it has none. */
  source: z.string().nullable(),
  modelType: z.string(),
  architecture: z.string().nullable(),
  /** `rope`, or what the model uses instead. Without RoPE, the rest is empty or null. */
  encoding: z.enum(['rope', 'alibi', 'learned', 'relative', 'sinusoidal', 'state-space', 'none']),
  /** The scaling that `layerTypes` shows, and the length that it is shown for (null = as built). */
  shown: z.strictObject({ scaling: z.string(), sequenceLength: z.number().nullable() }),
  layerTypes: z.record(z.string(), LayerTypeSchema),
  layersWithoutRope: z.array(z.number().int()),
  /** Layers of a hybrid model without attention: linear attention, state space, convolution. */
  layersWithoutAttention: z.array(z.number().int()),
  /** Whether tokens see both sides, as in encoders. */
  bidirectional: z.boolean(),
  latentAttention: z
    .strictObject({
      rank: z.number().int(),
      ropeDim: z.number().int(),
      nopeDim: z.number().int(),
      valueDim: z.number().int(),
    })
    .nullable()
    .describe('The cache keeps rank + ropeDim numbers per token and layer.'),
  softmaxScale: z.number().nullable().describe('Multiplier on q·k before the softmax.'),
  unscaledSoftmaxScale: z.number().nullable(),
  reference: ReadingSchema.extend({
    /** Row of the table of evidence, or `option` if the user decided. */
    evidence: z.string(),
    /** The other plausible interpretation, if there is one. */
    alternative: ReadingSchema.nullable(),
  }).nullable(),
  findings: z.array(FindingSchema),
  exported: ExportSchema.optional().describe('With --model: the tables that the graph runs with.'),
  geometry: GeometrySchema.nullable(),
  cost: CostSchema.nullable(),
  twin: EncodingRowSchema.optional().describe(
    'Models without RoPE: how a small model with the same position encoding was measured.',
  ),
});

export type InspectData = ReadonlyDeep<z.infer<typeof InspectSchema>>;
export type InspectLayerType = InspectData['layerTypes'][string];
export type InspectReading = ReadonlyDeep<z.infer<typeof ReadingSchema>>;

import { z } from 'zod';
import { EncodingRowSchema } from './encodings-schema.js';
import { CostSchema, GeometrySchema, SpanSchema } from './geometry-schema.js';
import { INSPECT_SCHEMA_VERSION, type InspectData } from './inspect-types.js';
import { FindingSchema } from './schema.js';

const ReadingSchema = z.strictObject({
  kind: z.enum(['unscaled', 'configured']),
  trainedWindow: z.number(),
  trainedRange: z.number(),
  criticalFraction: z.number().nullable(),
  criticalDimension: z.number().int(),
});

const LayerTypeSchema = z.strictObject({
  layers: z.array(z.number().int()),
  span: SpanSchema,
  ropeType: z.string(),
  theta: z.number(),
  headDim: z.number().int(),
  rotaryDim: z.number().int(),
  layout: z.enum(['half', 'interleaved']),
  trainedWindow: z.number(),
  invFreq: z.array(z.number()).describe('Radians per token, one per pair.'),
  attentionScaling: z.number().describe('Multiplier on cosine and sine.'),
  layersWithoutRope: z.array(z.number().int()).describe('Of the whole model.'),
  softmaxScale: z.number().describe('Of the whole model.'),
  parameters: z.record(z.string(), z.union([z.number(), z.boolean(), z.array(z.number())])),
});

/** What `rope-eval inspect --json` prints. */
export const InspectSchema = z.strictObject({
  schemaVersion: z.literal(INSPECT_SCHEMA_VERSION),
  source: z.string().nullable(),
  modelType: z.string(),
  architecture: z.string().nullable(),
  encoding: z.enum(['rope', 'alibi', 'learned', 'relative', 'sinusoidal', 'state-space', 'none']),
  shown: z.strictObject({ scaling: z.string(), sequenceLength: z.number().nullable() }),
  layerTypes: z.record(z.string(), LayerTypeSchema),
  layersWithoutRope: z.array(z.number().int()),
  layersWithoutAttention: z.array(z.number().int()),
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
    evidence: z.string(),
    alternative: ReadingSchema.nullable(),
  }).nullable(),
  findings: z.array(FindingSchema),
  geometry: GeometrySchema.nullable(),
  cost: CostSchema.nullable(),
  twin: EncodingRowSchema.optional().describe(
    'Models without RoPE: how a small model with the same position encoding was measured.',
  ),
}) satisfies z.ZodType<InspectData>;

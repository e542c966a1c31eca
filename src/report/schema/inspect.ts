import { z } from 'zod';
import { type EncodingRow, EncodingRowSchema } from '../../encodings/schema.js';
import type { Finding } from '../../findings/types.js';
import type { GeometryReport } from '../../geometry/analyse.js';
import type { CostReport } from '../../geometry/cost.js';
import type { LatentShape, NotRope, Span } from '../../model/types.js';
import { INSPECT_SCHEMA_VERSION } from '../../version.js';
import { CostSchema, GeometrySchema, SpanSchema } from './geometry.js';
import { FindingSchema } from './report.js';

/** One rotary table and the layers that share it. */
export interface InspectLayerType {
  /** Indices. */
  readonly layers: readonly number[];
  readonly span: Span;
  readonly ropeType: string;
  readonly theta: number;
  readonly headDim: number;
  readonly rotaryDim: number;
  /** How the two halves of a pair lie in a head. */
  readonly layout: 'half' | 'interleaved';
  /** Tokens that the weights were trained to see, by the reference. */
  readonly trainedWindow: number;
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: readonly number[];
  readonly attentionScaling: number;
  /** Of the whole model, as at the top level: for a reader who looks at one layer type only. */
  readonly layersWithoutRope: readonly number[];
  readonly softmaxScale: number;
  /** What the rope type takes besides theta and the dimension. */
  readonly parameters: Readonly<Record<string, number | boolean | readonly number[]>>;
}

/** One way to read what the weights were trained with. */
export interface InspectReading {
  readonly kind: 'unscaled' | 'configured';
  readonly trainedWindow: number;
  /** Largest distance in the first layer type: the window, or less in local layers. */
  readonly trainedRange: number;
  /** Of the first layer type; null where no pair turns. */
  readonly criticalFraction: number | null;
  readonly criticalDimension: number;
}

export interface InspectReference extends InspectReading {
  /** Row of the evidence table, or `option` where the user decided. */
  readonly evidence: string;
  /** The other defensible reading, where there is one. */
  readonly alternative: InspectReading | null;
}

export interface InspectData {
  readonly schemaVersion: typeof INSPECT_SCHEMA_VERSION;
  /** Path of the config; null where it has none. */
  readonly source: string | null;
  readonly modelType: string;
  readonly architecture: string | null;
  /** `rope`, or what the model uses instead: then the rest is empty or null. */
  readonly encoding: 'rope' | NotRope['encoding'];
  /** The scaling that `layerTypes` shows, and the length that it shows it for (null = as built). */
  readonly shown: { readonly scaling: string; readonly sequenceLength: number | null };
  readonly layerTypes: Readonly<Record<string, InspectLayerType>>;
  readonly layersWithoutRope: readonly number[];
  /** Layers of a hybrid that do not attend: linear attention, state space, convolution. */
  readonly layersWithoutAttention: readonly number[];
  /** Encoders: tokens see both sides. */
  readonly bidirectional: boolean;
  /** Multi-head latent attention; null without. */
  readonly latentAttention: LatentShape | null;
  /** Multiplier on q·k before the softmax, as configured and without the scaling block. */
  readonly softmaxScale: number | null;
  readonly unscaledSoftmaxScale: number | null;
  readonly reference: InspectReference | null;
  readonly findings: readonly Finding[];
  readonly geometry: Omit<GeometryReport, 'cost'> | null;
  readonly cost: CostReport | null;
  /** Models without RoPE: how a small model with the same position encoding was measured. */
  readonly twin?: EncodingRow | undefined;
}

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

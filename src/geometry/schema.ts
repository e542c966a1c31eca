import { z } from 'zod';
import type { ReadonlyDeep } from '../json/parse.js';
import { ROPE_TYPES } from '../rope/registry.js';
import { CACHE_DTYPES, type CacheDtype } from './drift.js';

/**
 * The schemas of the exact geometry, and the types inferred from them. Zod accepts only finite
 * numbers, so NaN and infinity cannot get into a report.
 */

const BoundarySchema = z.strictObject({
  length: z.number().describe('Last length with the table below, tokens.'),
  kind: z.enum(['switch', 'recomputed']),
  /** From `length` to `length + 1`, and to the target; the same for a switch. */
  step: tableChange(),
  atTarget: tableChange(),
});

/** The change of a table from one length to another. */
function tableChange() {
  return z.strictObject({
    /** Largest |after / before − 1| of a frequency, and the pair that has it. */
    maxFrequencyChange: z.number(),
    pair: z.number().int(),
    /** After / before. */
    attentionScalingRatio: z.number(),
  });
}

/** The exact properties of a rotary table. */
const TableSchema = z.strictObject({
  ropeType: z.enum(ROPE_TYPES),
  theta: z.number(),
  rotaryDim: z.number().int(),
  attentionScaling: z.number(),
  rotationsTrained: z.array(z.number()).describe('Turns per pair over the trained range.'),
  rotationsTarget: z.array(z.number()).describe('Turns per pair over the target range.'),
  supported: z
    .strictObject({
      tokens: z.number(),
      /** The search ended first, so that `tokens` is a lower limit. */
      atLeast: z.boolean(),
    })
    .describe('Longest length with a summed cosine that is never negative (Men et al. 2024).'),
  decay: z
    .array(z.strictObject({ from: z.number(), to: z.number(), mean: z.number() }))
    .describe('Mean cosine over pairs by bins of distance.'),
  drift: z
    .array(
      z.strictObject({
        arithmetic: z.string(),
        byPosition: z.array(z.strictObject({ position: z.number(), error: z.number().nullable() })),
        worst: z.number().nullable(),
        firstAbove: z.number().nullable(),
      }),
    )
    .describe('Error of the mean cosine when angles or tables are rounded; null = overflow.'),
});

const ReferenceGeometrySchema = TableSchema.extend({
  /** The share of pairs below one turn in the trained range; null if no pair turns. */
  criticalFraction: z.number().nullable(),
  /** How many leading rotary dimensions completed a turn in training. */
  criticalDimension: z.number().int(),
});

const CandidateGeometrySchema = TableSchema.extend({
  label: z.string(),
  changed: z.boolean().describe('false: the same as the reference.'),
  logitScale: z.number().describe('Factor on q·k against the reference.'),
  stretch: z.array(z.number().nullable()).describe('Per pair: reference / candidate frequency.'),
  maxStretch: z.number(),
  /** The largest stretch among the pairs that turn 32 times or more in the trained range. */
  highFrequencyStretch: z.number().nullable(),
  /**
   * The pairs that go beyond their trained angles at the target (0 = the fastest pair), and by how
   * many times: largest angle at the target / largest in training, above 1.
   */
  outOfRange: z.array(z.strictObject({ pair: z.number().int(), excess: z.number() })),
  inRangeUpTo: z.number().nullable().describe('Tokens; null = no pair limits it.'),
  /** null if the table does not change below the target. */
  boundary: BoundarySchema.nullable(),
  /** Whether the scaling stretches a local layer, which gains no length from it. */
  pureLoss: z.boolean(),
});

export const SpanSchema = z.union([
  z.strictObject({ kind: z.literal('global') }),
  z.strictObject({ kind: z.enum(['sliding', 'chunked']), window: z.number() }),
]);

const GroupGeometrySchema = z.strictObject({
  layerType: z.string(),
  layers: z.array(z.number().int()),
  span: SpanSchema,
  /** The distances in training and at the target, in tokens; for a local layer, its window. */
  trainedRange: z.number(),
  targetRange: z.number(),
  reference: ReferenceGeometrySchema,
  candidates: z.array(CandidateGeometrySchema),
  /**
   * The smallest base on the search's grid for an unscaled table of the target range, and the
   * tabulated length in tokens, the shortest that is at least that range; null if none is tabulated.
   */
  requiredBase: z.strictObject({ length: z.number(), base: z.number() }).nullable(),
});

export const CostSchema = z.strictObject({
  dtype: z.enum(Object.keys(CACHE_DTYPES) as [CacheDtype, ...CacheDtype[]]),
  bytesPerNumber: z.number(),
  /** The memory bandwidth in 1e9 bytes a second, as given. */
  bandwidthGBps: z.number().nullable(),
  spans: z.array(
    z.strictObject({
      count: z.number().int(),
      kind: z.enum(['global', 'sliding', 'chunked']),
      /** In tokens; null: everything before. */
      window: z.number().nullable(),
    }),
  ),
  kvBytesPerToken: z.number().describe('While the token is inside every window.'),
  kvGrowthPerToken: z.number().describe('Once the windows of the local layers are full.'),
  lengths: z.array(
    z.strictObject({
      tokens: z.number(),
      kvBytes: z.number(),
      kvBytesPerToken: z.number(),
      /** Attention operations per token: the mean over a causal prefill, and the next token's. */
      prefillFlopsPerToken: z.number(),
      decodeFlopsPerToken: z.number(),
      prefillMultiple: z.number().describe("Multiple of the trained window's."),
      decodeMultiple: z.number().describe("Multiple of the trained window's."),
      /** The time to read the cache once, which every decoded token needs; null: no bandwidth. */
      decodeReadMs: z.number().nullable(),
    }),
  ),
});

export const GeometrySchema = z.strictObject({
  trainedWindow: z.number(),
  target: z.number(),
  groups: z.array(GroupGeometrySchema),
});

const WithCostSchema = GeometrySchema.extend({
  /** null for a model without a KV cache. */
  cost: CostSchema.nullable(),
});

export type CostReport = ReadonlyDeep<z.infer<typeof CostSchema>>;
export type TableGeometry = ReadonlyDeep<z.infer<typeof TableSchema>>;
export type ReferenceGeometry = ReadonlyDeep<z.infer<typeof ReferenceGeometrySchema>>;
export type CandidateGeometry = ReadonlyDeep<z.infer<typeof CandidateGeometrySchema>>;
export type GroupGeometry = ReadonlyDeep<z.infer<typeof GroupGeometrySchema>>;
/** The exact geometry of a model and its candidates, from the config alone. */
export type GeometryReport = ReadonlyDeep<z.infer<typeof WithCostSchema>>;

/** The result of `analyseGeometry`; reports contain it unchanged. */
export const GeometryReportSchema = WithCostSchema as z.ZodType<GeometryReport>;

import { z } from 'zod';
import type { GeometryReport } from '../../geometry/analyse.js';
import { CACHE_DTYPES, type CacheDtype, type CostReport } from '../../geometry/cost.js';

/** Zod takes finite numbers only, so NaN and infinity cannot pass. */

const BoundarySchema = z.strictObject({
  length: z.number().describe('Last length with the table below, tokens.'),
  kind: z.enum(['switch', 'recomputed']),
  step: tableChange(),
  atTarget: tableChange(),
});

function tableChange() {
  return z.strictObject({
    maxFrequencyChange: z.number(),
    pair: z.number().int(),
    attentionScalingRatio: z.number(),
  });
}

const TableSchema = z.strictObject({
  ropeType: z.enum([
    'default',
    'linear',
    'ntk',
    'dynamic',
    'yarn',
    'llama3',
    'longrope',
    'proportional',
  ]),
  theta: z.number(),
  rotaryDim: z.number().int(),
  attentionScaling: z.number(),
  rotationsTrained: z.array(z.number()).describe('Turns per pair over the trained range.'),
  rotationsTarget: z.array(z.number()).describe('Turns per pair over the target range.'),
  supported: z
    .strictObject({ tokens: z.number(), atLeast: z.boolean() })
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
  criticalFraction: z.number().nullable(),
  criticalDimension: z.number().int(),
});

const CandidateGeometrySchema = TableSchema.extend({
  label: z.string(),
  changed: z.boolean().describe('false: the same as the reference.'),
  logitScale: z.number().describe('Factor on q·k against the reference.'),
  stretch: z.array(z.number().nullable()).describe('Per pair: reference / candidate frequency.'),
  maxStretch: z.number(),
  highFrequencyStretch: z.number().nullable(),
  outOfRange: z.array(z.strictObject({ pair: z.number().int(), excess: z.number() })),
  inRangeUpTo: z.number().nullable().describe('Tokens; null = no pair limits it.'),
  boundary: BoundarySchema.nullable(),
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
  trainedRange: z.number(),
  targetRange: z.number(),
  reference: ReferenceGeometrySchema,
  candidates: z.array(CandidateGeometrySchema),
  requiredBase: z.strictObject({ length: z.number(), base: z.number() }).nullable(),
});

export const CostSchema = z.strictObject({
  dtype: z.enum(Object.keys(CACHE_DTYPES) as [CacheDtype, ...CacheDtype[]]),
  bytesPerNumber: z.number(),
  bandwidthGBps: z.number().nullable(),
  spans: z.array(
    z.strictObject({
      count: z.number().int(),
      kind: z.enum(['global', 'sliding', 'chunked']),
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
      prefillFlopsPerToken: z.number(),
      decodeFlopsPerToken: z.number(),
      prefillMultiple: z.number().describe("Multiple of the trained window's."),
      decodeMultiple: z.number().describe("Multiple of the trained window's."),
      decodeReadMs: z.number().nullable(),
    }),
  ),
}) satisfies z.ZodType<CostReport>;

export const GeometrySchema = z.strictObject({
  trainedWindow: z.number(),
  target: z.number(),
  groups: z.array(GroupGeometrySchema),
}) satisfies z.ZodType<Omit<GeometryReport, 'cost'>>;

/** As `analyseGeometry` returns it, with the cost. */
export const GeometryReportSchema = GeometrySchema.extend({
  cost: CostSchema.nullable(),
}) satisfies z.ZodType<GeometryReport>;

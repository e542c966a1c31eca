import { z } from 'zod';
import { CandidateSchema } from './candidate-schema.js';
import { GeometryReportSchema } from './geometry-schema.js';
import { NeighbourSchema } from './neighbours-schema.js';
import { PerContextSchema } from './per-context-schema.js';
import { LengthSchema } from './schema-base.js';

export * from './candidate-schema.js';
export { IntervalSchema, LengthSchema, type Interval } from './schema-base.js';

/**
 * The report, as saved by `-o report.json` and printed by `--json`.
 *
 * Additive changes (a new optional key) keep the major version; anything that a reader could trip
 * over raises it. Lengths are tokens, losses nats, shares 0..1, frequencies radians per token.
 */
export const REPORT_SCHEMA_VERSION = '1.6';

/** Versions that can be read: an older minor one only lacks optional keys. */
const READABLE_VERSIONS = [
  '1.0',
  '1.1',
  '1.2',
  '1.3',
  '1.4',
  '1.5',
  REPORT_SCHEMA_VERSION,
] as const;

export const FindingSchema = z.strictObject({
  code: z.string(),
  severity: z.enum(['error', 'warning', 'notice']),
  path: z.string(),
  args: z.record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()]),
  ),
});

const RotaryShareSchema = z.number().optional().describe('Share of each head that rotates.');

const ReferenceSchema = z.strictObject({
  kind: z.enum(['unscaled', 'configured']),
  trainedWindow: z.number(),
  evidence: z.string().describe('Row of the evidence table, or `option` where the user decided.'),
  alternative: z
    .strictObject({ kind: z.enum(['unscaled', 'configured']), trainedWindow: z.number() })
    .optional(),
});

export const ReportSchema = z.strictObject({
  schemaVersion: z.enum(READABLE_VERSIONS),
  tool: z.strictObject({ name: z.literal('rope-eval'), version: z.string() }),
  createdAt: z.string(),
  /** `interrupted`: the finished cells only. */
  status: z.enum(['complete', 'interrupted', 'failed']),
  config: z.strictObject({
    source: z.string(),
    sha256: z.string(),
    modelType: z.string(),
    architecture: z.string().nullable(),
  }),
  reference: ReferenceSchema.extend({
    criticalFraction: z.number(),
    rotaryShare: RotaryShareSchema,
    theta: z.number(),
    ropeType: z.string(),
  }),
  target: LengthSchema,
  settings: z.strictObject({
    preset: z.enum(['quick', 'standard', 'thorough']),
    seed: z.number().int(),
    contexts: z.strictObject({
      short: z.number().int(),
      shortText: z.number().int(),
      long: z.number().int(),
      longText: z.number().int(),
      apart: z.number().int(),
    }),
    threads: z.number().int(),
    device: z.enum(['cpu', 'cuda']),
    deviceAsked: z.enum(['auto', 'cpu', 'cuda']),
    ladder: z.array(LengthSchema),
  }),
  probeModel: z.strictObject({
    name: z.string(),
    criticalFraction: z.number(),
    rotaryShare: RotaryShareSchema,
    window: z.number().int(),
    theta: z.number(),
    seed: z.number().int(),
    weightsSha256: z.string(),
    graphSha256: z.string(),
    inRange: z.boolean().describe("false: the model's critical fraction lies outside the family."),
    heldPairs: z
      .number()
      .int()
      .optional()
      .describe(
        'Pairs of the probe that are slower than any of the model: held within their trained angles. Since 1.6.',
      ),
    lossScale: z
      .number()
      .optional()
      .describe('Nats in this report to one of the probe language; before 1.4: 1.'),
  }),
  runtime: z.strictObject({ onnxruntime: z.string(), node: z.string(), platform: z.string() }),
  chance: z.number().describe('Accuracy of guessing a value that occurs in the context.'),
  findings: z.array(FindingSchema),
  candidates: z.array(CandidateSchema).describe('The reference first, then in the order given.'),
  otherProbeModels: z
    .array(NeighbourSchema)
    .optional()
    .describe('Thorough preset: the same on the neighbouring probe models.'),
  recommendation: z.strictObject({
    code: z.enum(['use', 'use-at-a-cost', 'none-reaches', 'keep', 'unclear']),
    candidate: z.string().nullable(),
    /** Others whose interval does not separate them from the recommended one. */
    tied: z.array(z.string()),
    write: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Keys to write into config.json for the recommended candidate.'),
  }),
  /** Unfinished runs only: the finished work, which --resume takes over. */
  unfinished: z
    .strictObject({
      reason: z.string(),
      jobs: z.array(
        z.strictObject({
          key: z.string(),
          length: z.number().int(),
          contexts: z.array(z.strictObject({ logProbability: z.string(), correct: z.string() })),
        }),
      ),
    })
    .optional(),
  perContext: PerContextSchema.optional().describe('Complete runs only.'),
  geometry: GeometryReportSchema.optional().describe('Exact: computed from the config alone.'),
  timings: z.strictObject({ totalMs: z.number(), engineMs: z.number(), tokens: z.number() }),
});

export type Report = z.infer<typeof ReportSchema>;

/** What a dashboard should ignore when it asks whether two runs agree. */
export const VOLATILE_KEYS = Object.freeze(['createdAt', 'timings'] as const);

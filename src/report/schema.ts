import { z } from 'zod';
import { GeometryReportSchema } from './geometry-schema.js';

/**
 * The report, as saved by `-o report.json` and printed by `--json`.
 *
 * Additive changes (a new optional key) keep the major version; anything that a reader could trip
 * over raises it. Lengths are tokens, losses nats, shares 0..1, frequencies radians per token.
 */
export const REPORT_SCHEMA_VERSION = '1.0';

/** A measured value with its 95 % interval. */
export const IntervalSchema = z
  .strictObject({ value: z.number(), low: z.number(), high: z.number() })
  .meta({ description: 'A measured value with its 95 % interval.' });

export const FindingSchema = z.strictObject({
  code: z.string(),
  severity: z.enum(['error', 'warning', 'notice']),
  path: z.string(),
  args: z.record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()]),
  ),
});

export const ReferenceSchema = z.strictObject({
  kind: z.enum(['unscaled', 'configured']),
  trainedWindow: z.number(),
  evidence: z.string().describe('Row of the evidence table, or `option` where the user decided.'),
  alternative: z
    .strictObject({ kind: z.enum(['unscaled', 'configured']), trainedWindow: z.number() })
    .optional(),
});

export const LengthSchema = z.strictObject({
  multiple: z.number().describe('Evaluated length / trained window.'),
  tokens: z.number().describe("The same length in the user's tokens."),
});

/** One rung of the ladder: questions asked when the context has this length. */
export const NeedleSchema = LengthSchema.extend({
  accuracy: IntervalSchema,
  relative: z.number().describe("accuracy / the reference's accuracy at 1x"),
  loss: IntervalSchema.describe('Mean negative log-probability of the answers.'),
  languageLoss: IntervalSchema.describe(
    "Next-token loss of running text at this length, above the source's own entropy.",
  ),
  lossChange: IntervalSchema.describe(
    "languageLoss - the reference's on the same text with one trained window before it.",
  ),
  correct: z.number().int(),
  total: z.number().int(),
  /** Accuracy by distance, nearest first; bins are equal shares of the length. */
  byDistance: z.array(
    z.strictObject({
      from: z.number(),
      to: z.number(),
      correct: z.number().int(),
      total: z.number().int(),
    }),
  ),
});

export const ShortSchema = z.strictObject({
  /** Facts at 0.5x and 1x: candidate - reference, same contexts. */
  accuracyChange: IntervalSchema,
  /** Next-token loss of the language at 0.5x and 1x, nats: candidate - reference. */
  lossChange: IntervalSchema,
  copyAccuracyChange: IntervalSchema,
  copyLossChange: IntervalSchema,
  /** The same by length. */
  byLength: z.array(
    LengthSchema.extend({
      accuracy: IntervalSchema,
      factLoss: z.number(),
      languageLoss: z.number(),
      copyAccuracy: z.number(),
      accuracyChange: IntervalSchema,
      lossChange: IntervalSchema,
    }),
  ),
  /** Raw counts over both lengths. */
  counts: z.strictObject({
    contexts: z.number().int(),
    textContexts: z.number().int(),
    facts: z.number().int(),
    factsCorrect: z.number().int(),
    languageTokens: z.number().int(),
    copyTokens: z.number().int(),
    copyCorrect: z.number().int(),
  }),
});

export const ReachSchema = z.strictObject({
  multiple: z.number().describe('0 = fails at 1x already.'),
  tokens: z.number(),
  low: z.number().describe('Multiple, 95 % interval over contexts.'),
  high: z.number(),
  censored: z.boolean().describe('The ladder ended before the accuracy did: read as >=.'),
});

/** Where the facts' loss at the target comes from; docs/report.md. */
export const PartsSchema = z.strictObject({
  total: IntervalSchema.describe("facts' loss at the target - the reference's at 1x, nats"),
  rope: IntervalSchema.describe(
    "the same in `stretched`: the target's distances, one window of tokens",
  ),
  dilution: IntervalSchema.describe(
    "the same in `squeezed`: the target's tokens, one window of distances",
  ),
});

export const VERDICTS = [
  'reference',
  'reaches',
  'reaches-at-a-cost',
  'falls-short',
  'fails-short',
  'unclear',
  'not-needed',
] as const;

export const CandidateSchema = z.strictObject({
  label: z.string(),
  role: z.enum(['reference', 'candidate']),
  /** One entry per layer group of the model, in the order of `layerTypes`. */
  groups: z.array(
    z.strictObject({
      layerType: z.string(),
      ropeType: z.string(),
      attentionScaling: z.number(),
      maxStretch: z.number(),
      changed: z.boolean().describe('false: this scaling does not reach these layers.'),
    }),
  ),
  short: ShortSchema.nullable(),
  needle: z.array(NeedleSchema),
  reach: ReachSchema.nullable(),
  /** null: not measured (quick preset, or a target inside the window). */
  parts: PartsSchema.nullable(),
  /** Local layers (sliding window, chunk) that the scaling reaches: a pure short-context cost. */
  local: z.array(z.strictObject({ layerType: z.string(), window: z.number(), short: ShortSchema })),
  score: z.number().describe('Ranks candidates; see docs/report.md. Lower is better.').nullable(),
  verdict: z.enum(VERDICTS),
});

export const ReportSchema = z.strictObject({
  schemaVersion: z.literal(REPORT_SCHEMA_VERSION),
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
    window: z.number().int(),
    theta: z.number(),
    seed: z.number().int(),
    weightsSha256: z.string(),
    graphSha256: z.string(),
    inRange: z.boolean().describe("false: the model's critical fraction lies outside the family."),
  }),
  runtime: z.strictObject({ onnxruntime: z.string(), node: z.string(), platform: z.string() }),
  chance: z.number().describe('Accuracy of guessing a value that occurs in the context.'),
  findings: z.array(FindingSchema),
  candidates: z.array(CandidateSchema).describe('The reference first, then in the order given.'),
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
  geometry: GeometryReportSchema.optional().describe('Exact: computed from the config alone.'),
  timings: z.strictObject({ totalMs: z.number(), engineMs: z.number(), tokens: z.number() }),
});

export type Interval = z.infer<typeof IntervalSchema>;
export type Needle = z.infer<typeof NeedleSchema>;
export type Short = z.infer<typeof ShortSchema>;
export type Parts = z.infer<typeof PartsSchema>;
export type Reach = z.infer<typeof ReachSchema>;
export type Verdict = (typeof VERDICTS)[number];
export type CandidateReport = z.infer<typeof CandidateSchema>;
export type Report = z.infer<typeof ReportSchema>;

/** What a dashboard should ignore when it asks whether two runs agree. */
export const VOLATILE_KEYS = Object.freeze(['createdAt', 'timings'] as const);

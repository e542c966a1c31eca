import { z } from 'zod';
import { GeometryReportSchema } from '../../geometry/schema.js';
import { isRecord, type UnknownRecord } from '../../json/parse.js';
import { REFERENCE_KINDS } from '../../model/types.js';
import { DEVICES, PRESET_NAMES, PROVIDERS } from '../../probes/presets.js';
import { SubjectSchema } from '../../subjects/schema.js';
import { CandidateSchema, VERDICTS } from './candidate.js';
import { CandidateReachSchema, IntervalSchema, LengthSchema, TokensSchema } from './values.js';

/** The same comparison on another probe model. The differences are the probe's uncertainty. */
export const NeighbourSchema = z.strictObject({
  probeModel: z.strictObject({
    name: z.string(),
    criticalFraction: z.number(),
    seed: z.number().int(),
    weightsSha256: z.string(),
    heldPairs: z.number().int().optional().describe('As of the report itself. Since 1.6.'),
  }),
  recommended: z.string().nullable(),
  /** In the order of the report's own candidates. */
  candidates: z.array(
    z.strictObject({
      label: z.string(),
      role: z.enum(['reference', 'candidate']),
      shortLossChange: IntervalSchema.nullable(),
      needleAtTarget: IntervalSchema.nullable(),
      reach: CandidateReachSchema.nullable(),
      score: z.number().nullable(),
      verdict: z.enum(VERDICTS),
    }),
  ),
});

export type NeighbourReport = z.infer<typeof NeighbourSchema>;

/** The bundled probe model's results for the same scalings as the user's own weights. */
export const ProbedSchema = NeighbourSchema.extend({
  rankCorrelation: z
    .number()
    .nullable()
    .describe(
      "Spearman's, of the loss of all candidates at all lengths of the ladder; null: fewer than three of them.",
    ),
  shortCostRatio: z
    .number()
    .nullable()
    .describe(
      'Measured short cost to one of the probe, over all candidates; null: the probe sees no cost.',
    ),
});

export type ProbedReport = z.infer<typeof ProbedSchema>;

const RowSchema = z
  .string()
  .regex(/^-?\d+(\.\d+)?( -?\d+(\.\d+)?)*$/)
  .meta({ description: 'One number a context, in the order of the contexts, spaces between.' });

const ShortRowsSchema = z.strictObject({
  facts: RowSchema,
  copies: RowSchema,
  copyLoss: RowSchema,
  textLoss: RowSchema,
});

/** Sums over the short contexts at 0.5x and 1x. Losses are in nats, as in `short`. */
export type ShortRows = z.infer<typeof ShortRowsSchema>;

/**
 * What each context contributed, so that two runs on the same contexts can be compared in pairs.
 * The value of a cell is the sum of a candidate's row divided by the sum of the same row of
 * `counts`.
 */
export const PerContextSchema = z.strictObject({
  sha256: z.string().describe('Of the contexts: rows pair only where it is the same.'),
  counts: z
    .strictObject({
      facts: RowSchema,
      copies: RowSchema.describe('Also behind copyLoss.'),
      text: RowSchema.describe('Tokens behind textLoss.'),
      needle: z.array(z.array(RowSchema)),
    })
    .describe(
      'How many answers or tokens there were: the same for every candidate, but where one has ' +
        '`longContexts` of its own: a shorter row is of the first contexts.',
    ),
  candidates: z.array(
    z.strictObject({
      label: z.string(),
      short: ShortRowsSchema.describe('Answers that were right, and summed losses.'),
      needle: z
        .array(z.array(RowSchema))
        .describe('(rungs, fifths of the distance) facts found, in the order of `needle`.'),
      local: z.array(ShortRowsSchema.extend({ layerType: z.string() })),
    }),
  ),
});

export type PerContext = z.infer<typeof PerContextSchema>;

export * from './candidate.js';
export * from './values.js';

/**
 * Version of the report that `-o report.json` saves and `--json` prints.
 *
 * Additive changes (a new optional key) keep the major version. Changes that could break a reader
 * raise it. Lengths are in tokens, losses in nats, shares 0..1, frequencies in radians per token.
 */
export const REPORT_SCHEMA_VERSION = '2.2';

/** Versions that can be read unchanged. `upgradeReport` converts older ones to this form. */
const READABLE_VERSIONS = ['2.0', '2.1', REPORT_SCHEMA_VERSION] as const;

/** A finding as a report saves it. `args` fill in the sentence of its entry in the catalogue. */
export const FindingSchema = z.strictObject({
  code: z.string(),
  severity: z.enum(['error', 'warning', 'notice']),
  path: z.string(),
  args: z.record(
    z.string(),
    z.union([
      z.string(),
      z.number(),
      z.boolean(),
      z.array(z.string()).readonly(),
      z.record(z.string(), z.number()).readonly(),
    ]),
  ),
});

const RotaryShareSchema = z.number().optional().describe('Share of each head that rotates.');

const ReferenceSchema = z.strictObject({
  kind: z.enum(REFERENCE_KINDS),
  trainedWindow: TokensSchema,
  evidence: z.string().describe('Row of the evidence table, or `option` where the user decided.'),
  alternative: z
    .strictObject({ kind: z.enum(REFERENCE_KINDS), trainedWindow: TokensSchema })
    .optional(),
});

/** The report of an evaluation. `rope-eval schema report` prints its JSON Schema. */
export const ReportSchema = z.strictObject({
  schemaVersion: z.enum(READABLE_VERSIONS),
  tool: z.strictObject({ name: z.literal('rope-eval'), version: z.string() }),
  createdAt: z.string(),
  /** `interrupted`: contains only the finished cells. */
  status: z.enum(['complete', 'interrupted', 'failed']),
  config: z.strictObject({
    source: z.string(),
    sha256: z.string(),
    modelType: z.string(),
    architecture: z.string().nullable(),
  }),
  reference: ReferenceSchema.extend({
    base: z
      .strictObject({
        argument: z.string().optional().describe('As the option --base of a shell takes it.'),
        sha256: z.string(),
      })
      .optional()
      .describe('The config from before a change, which the reference was taken from. Since 2.2.'),
    criticalFraction: z.number(),
    rotaryShare: RotaryShareSchema,
    theta: z.number(),
    ropeType: z.string(),
  }),
  target: LengthSchema,
  settings: z.strictObject({
    preset: z.enum(PRESET_NAMES),
    seed: z.number().int(),
    contexts: z.strictObject({
      short: z.number().int(),
      shortText: z.number().int(),
      long: z.number().int(),
      longText: z.number().int(),
      apart: z.number().int(),
    }),
    threads: z.number().int(),
    device: z.enum(PROVIDERS).nullable().describe('null: nothing ran on this machine.'),
    deviceAsked: z.enum(DEVICES),
    ladder: z.array(LengthSchema),
  }),
  subject: SubjectSchema,
  runtime: z.strictObject({
    onnxruntime: z.string().nullable().describe('null: nothing ran in this process.'),
    node: z.string(),
    platform: z.string(),
  }),
  chance: z.number().describe('Accuracy of guessing a value that occurs in the context.'),
  findings: z.array(FindingSchema),
  candidates: z.array(CandidateSchema).describe('The reference first, then in the order given.'),
  otherProbeModels: z
    .array(NeighbourSchema)
    .optional()
    .describe('Thorough preset: the same on the neighbouring probe models.'),
  probed: ProbedSchema.optional().describe("With the user's own weights only."),
  recommendation: z.strictObject({
    code: z.enum(['use', 'use-at-a-cost', 'none-reaches', 'keep', 'unclear']),
    candidate: z.string().nullable(),
    /** Others whose scores are statistically indistinguishable from the recommended one's. */
    tied: z.array(z.string()),
    write: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Keys to write into config.json for the recommended candidate.'),
    profiles: z
      .array(
        z.strictObject({
          upTo: z.number().describe('Tokens.'),
          candidate: z.string().nullable().describe('null: nothing measured holds there.'),
          factor: z.number().optional().describe('1 = the reference.'),
          measured: z
            .literal(false)
            .optional()
            .describe(
              'false: no run measured this factor; it is the measured one of the target in ' +
                'proportion to the length. Absent: measured. Since 2.2.',
            ),
          write: z.record(z.string(), z.unknown()).optional().describe('Keys of config.json.'),
        }),
      )
      .optional()
      .describe(
        'For servers that can switch per request: the least factor of the recommended method that ' +
          'holds at each length, or in proportion to the length where one factor was measured.',
      ),
  }),
  /** Only in unfinished reports: the finished work, which --resume takes over. */
  unfinished: z
    .strictObject({
      reason: z.string(),
      jobs: z.array(
        z.strictObject({
          key: z.string(),
          length: TokensSchema,
          contexts: z.array(z.strictObject({ logProbability: z.string(), correct: z.string() })),
        }),
      ),
    })
    .optional(),
  perContext: PerContextSchema.optional().describe('Complete runs only.'),
  geometry: GeometryReportSchema.optional().describe('Exact: computed from the config alone.'),
  timings: z.strictObject({
    totalMs: z.number(),
    engineMs: z.number(),
    tokens: z.number(),
    estimatedMs: z
      .number()
      .optional()
      .describe('What engineMs was expected to be before the start. Since 2.1.'),
  }),
});

export type Report = z.infer<typeof ReportSchema>;

/** Keys to ignore when checking whether two runs agree. */
export const VOLATILE_KEYS = Object.freeze(['createdAt', 'timings'] as const);

/**
 * Converts a saved report to the present form. Version 1 called its only kind of subject
 * `probeModel`; everything else is unchanged.
 *
 * @param value anything; what is not a report of version 1 is returned unchanged
 */
export function upgradeReport(value: unknown): unknown {
  if (!isRecord(value) || !/^1\.[0-6]$/.test(String(value['schemaVersion']))) return value;
  const entries = Object.entries(value).map(([key, own]): [string, unknown] => {
    if (key === 'schemaVersion') return [key, REPORT_SCHEMA_VERSION];
    if (key === 'probeModel' && isRecord(own))
      return ['subject', { kind: 'probe-model', ...own } satisfies UnknownRecord];
    return [key, own];
  });
  return Object.fromEntries(entries);
}

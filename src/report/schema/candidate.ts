import { z } from 'zod';
import { decomposition } from '../probe-parts/decomposition.js';
import { PROBE_SHAPE } from '../probe-parts/registry.js';
import { CandidateReachSchema, IntervalSchema, LengthSchema } from './values.js';

/** One rung of the ladder: questions that are asked when the context has this length. */
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
  /** Accuracy by distance, nearest first. The bins are equal shares of the length. */
  byDistance: z.array(
    z.strictObject({
      from: z.number(),
      to: z.number(),
      correct: z.number().int(),
      total: z.number().int(),
    }),
  ),
});

const ShortSchema = z.strictObject({
  /** Facts at 0.5x and 1x: candidate - reference, same contexts. */
  accuracyChange: IntervalSchema,
  /** Next-token loss of the language at 0.5x and 1x, nats: candidate - reference. */
  lossChange: IntervalSchema,
  copyAccuracyChange: IntervalSchema,
  copyLossChange: IntervalSchema,
  /** The same for each length. */
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

/**
 * Verdicts on a candidate (docs/report.md). `not-needed`: every layer is local, so no scaling
 * helps.
 */
export const VERDICTS = [
  'reference',
  'reaches',
  'reaches-at-a-cost',
  'falls-short',
  'fails-short',
  'unclear',
  'not-needed',
] as const;

/** One row of the report: everything measured and computed for the reference or a candidate. */
export const CandidateSchema = z.strictObject({
  label: z.string(),
  argument: z
    .string()
    .optional()
    .describe('What names it to a command, where the label does not: a JSON object. Since 2.2.'),
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
  shortOnModels: z
    .strictObject({
      low: z.number().describe('Nats.'),
      high: z.number(),
      largest: z.number().describe('Parameters of the largest model behind the range.'),
      smallest: z.number(),
    })
    .optional()
    .describe(
      'What real models lose where the probe has short.lossChange. Absent without a cost, and on ' +
        "the user's own weights. Since 2.2.",
    ),
  needle: z.array(NeedleSchema),
  longContexts: z
    .number()
    .int()
    .optional()
    .describe(
      'Contexts behind `needle` up to the target and behind `reach`, where they are not ' +
        'settings.contexts.long: more where those left the verdict open, fewer where half of them ' +
        'showed that the candidate is clearly out.',
    ),
  reach: CandidateReachSchema.nullable(),
  // Every report of version 2 has this key before `local`, and a key keeps its first place.
  ...decomposition.shape,
  /** Local layers (sliding window, chunk) that the scaling reaches, at a cost without any gain. */
  local: z.array(z.strictObject({ layerType: z.string(), window: z.number(), short: ShortSchema })),
  ...PROBE_SHAPE,
  score: z.number().describe('Ranks candidates; see docs/report.md. Lower is better.').nullable(),
  /** The score is the sum of the two. null if there is no score; absent before version 1.3. */
  scoreParts: z
    .strictObject({
      loss: z.number().describe('What the probe lost, nats: mean over the lengths to the target.'),
      outOfRange: z
        .number()
        .describe(
          'What leaving the trained angles adds, nats: mean over the same lengths of the mean ln ' +
            'excess of the angles, times the lossScale of the subject.',
        ),
    })
    .nullable()
    .optional(),
  verdict: z.enum(VERDICTS),
});

export type Needle = z.infer<typeof NeedleSchema>;
export type Short = z.infer<typeof ShortSchema>;
export type Verdict = (typeof VERDICTS)[number];
export type CandidateReport = z.infer<typeof CandidateSchema>;

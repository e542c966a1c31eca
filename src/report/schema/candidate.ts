import { z } from 'zod';

/** A measured value with its 95 % interval. */
export const IntervalSchema = z
  .strictObject({ value: z.number(), low: z.number(), high: z.number() })
  .meta({ description: 'A measured value with its 95 % interval.' });

/**
 * Tokens of a user's text, from an untrusted file. No ladder comes near the upper bound, and
 * lengths are not negative.
 */
export const TokensSchema = z
  .number()
  .min(0)
  .max(2 ** 40);

export const LengthSchema = z.strictObject({
  multiple: z.number().describe('Evaluated length / trained window.'),
  tokens: TokensSchema.describe("The same length in the user's tokens."),
});

export type Interval = z.infer<typeof IntervalSchema>;

/** How a scaling behaves while text is generated; see docs/report.md. */

/** The largest difference from `recomputed`, on the same contexts. */
const GapSchema = IntervalSchema.extend({
  tokens: TokensSchema.describe("Length at which it was found, in the user's tokens."),
  probe: z.enum(['short', 'needle']),
});

const DYNAMIC_FORMS = ['recomputed', 'cached', 'static'] as const;

/** Dynamic scaling in one of the forms that implementations use. */
export const DynamicFormSchema = z.strictObject({
  form: z
    .enum(DYNAMIC_FORMS)
    .describe(
      'recomputed: all keys and queries have the table of the present length; cached: each key ' +
        'keeps the table of the length at which it was written; static: one table at all lengths.',
    ),
  short: z
    .strictObject({ accuracyChange: IntervalSchema, lossChange: IntervalSchema })
    .describe('At 0.5x and 1x, against the reference.'),
  needle: z.array(
    LengthSchema.extend({
      accuracy: IntervalSchema,
      languageLoss: IntervalSchema,
      lossChange: IntervalSchema,
    }),
  ),
  reach: z.strictObject({
    multiple: z.number(),
    tokens: TokensSchema,
    low: z.number(),
    high: z.number(),
    censored: z.boolean(),
  }),
  gap: z
    .strictObject({ accuracy: GapSchema, loss: GapSchema })
    .optional()
    .describe('This form - `recomputed`; absent on `recomputed` itself.'),
});

const ReadingSchema = z.strictObject({ accuracy: IntervalSchema, languageLoss: IntervalSchema });

const SwitchLengthSchema = z.strictObject({
  tokens: TokensSchema,
  short: ReadingSchema.describe('With the table of lengths up to the switch.'),
  long: ReadingSchema.describe('With the table of lengths above it.'),
});

/** A table that changes abruptly at a length: longrope above `original_max_position_embeddings`. */
export const SwitchSchema = z.strictObject({
  tokens: TokensSchema.describe('The longest length that has the short table.'),
  below: SwitchLengthSchema,
  at: SwitchLengthSchema,
  above: SwitchLengthSchema.extend({
    cached: ReadingSchema.describe(
      'Keys up to the switch keep the short table, everything later has the long one.',
    ),
  }),
  recomputed: ReadingSchema.describe('Change: above with the long table - below with the short.'),
  cached: ReadingSchema.describe('Change: above with cached keys - below with the short table.'),
  stale: ReadingSchema.describe('Change: above with cached keys - above with the long table.'),
});

/** The same text at later positions. Only relative distances should matter. */
export const OffsetSchema = z.strictObject({
  shift: z.strictObject({
    tokens: TokensSchema.describe("In the user's tokens."),
    probeTokens: z.number().int(),
  }),
  maxDrift: z.number().describe('Largest change of a log-probability, nats.'),
  rmsDrift: z.number().describe('Root mean square of the changes, nats.'),
  verdict: z
    .enum(['none', 'drifts', 'by-definition'])
    .describe('by-definition: only because the table depends on the length.'),
});

export type DynamicForm = z.infer<typeof DynamicFormSchema>;
export type Gap = z.infer<typeof GapSchema>;
export type Switch = z.infer<typeof SwitchSchema>;
export type Reading = z.infer<typeof ReadingSchema>;
export type Offset = z.infer<typeof OffsetSchema>;

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

/** The largest rung from 1x on at which every distance keeps half of the accuracy at 1x. */
export const ReachSchema = z.strictObject({
  multiple: z.number().describe('0 = fails at 1x already.'),
  tokens: TokensSchema,
  low: z.number().describe('Multiple, 95 % interval over contexts.'),
  high: z.number(),
  censored: z.boolean().describe('The ladder ended before the accuracy did: read as >=.'),
});

/** The reach of a candidate, and where that of a real model is expected. */
export const CandidateReachSchema = ReachSchema.extend({
  expected: z
    .strictObject({ low: z.number(), high: z.number().nullable() })
    .optional()
    .describe(
      'Multiples between which the reach of a model is expected, from facts, losses and exact ' +
        'angles, with what seeds and members of the probe family differ by (docs/validation.md). high ' +
        'null: beyond the ladder. Absent where nothing holds at 1x, and in reports before version 2.',
    ),
});

/** Causes of the loss of facts at the target; see docs/report.md. */
const PartsSchema = z.strictObject({
  total: IntervalSchema.describe("facts' loss at the target - the reference's at 1x, nats"),
  rope: IntervalSchema.describe(
    "the same in `stretched`: the target's distances, one window of tokens",
  ),
  dilution: IntervalSchema.describe(
    "the same in `squeezed`: the target's tokens, one window of distances",
  ),
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
  /** null: not measured (quick preset, or a target inside the window). */
  parts: PartsSchema.nullable(),
  /** Local layers (sliding window, chunk) that the scaling reaches, at a cost without any gain. */
  local: z.array(z.strictObject({ layerType: z.string(), window: z.number(), short: ShortSchema })),
  forms: z.array(DynamicFormSchema).optional().describe('Dynamic scalings only.'),
  switch: SwitchSchema.optional().describe('Only where the table jumps at a length (longrope).'),
  offset: OffsetSchema.optional().describe('Not in the quick preset.'),
  score: z.number().describe('Ranks candidates; see docs/report.md. Lower is better.').nullable(),
  /** The score is the sum of the two. null if there is no score; absent before version 1.3. */
  scoreParts: z
    .strictObject({
      loss: z.number().describe('What the probe lost, nats: mean over the lengths to the target.'),
      outOfRange: z
        .number()
        .describe('Mean ln excess of the angles over the trained range, over the same lengths.'),
    })
    .nullable()
    .optional(),
  verdict: z.enum(VERDICTS),
});

export type Needle = z.infer<typeof NeedleSchema>;
export type Short = z.infer<typeof ShortSchema>;
export type Parts = z.infer<typeof PartsSchema>;
export type Reach = z.infer<typeof ReachSchema>;
export type CandidateReach = z.infer<typeof CandidateReachSchema>;
export type Verdict = (typeof VERDICTS)[number];
export type CandidateReport = z.infer<typeof CandidateSchema>;

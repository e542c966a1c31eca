import { z } from 'zod';
import { IntervalSchema, LengthSchema } from './schema-base.js';

/** What becomes of a scaling while text is generated; docs/report.md. */

/** The largest difference to `recomputed`, on the same contexts. */
const GapSchema = IntervalSchema.extend({
  tokens: z.number().describe("Length at which it was found, in the user's tokens."),
  probe: z.enum(['short', 'needle']),
});

const FORMS = ['recomputed', 'cached', 'static'] as const;

/** Dynamic scaling in one of its real-world forms. */
export const FormSchema = z.strictObject({
  form: z
    .enum(FORMS)
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
    tokens: z.number(),
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
  tokens: z.number(),
  short: ReadingSchema.describe('With the table of lengths up to the switch.'),
  long: ReadingSchema.describe('With the table of lengths above it.'),
});

/** A table that jumps at a length: longrope above `original_max_position_embeddings`. */
export const SwitchSchema = z.strictObject({
  tokens: z.number().describe('The longest length that has the short table.'),
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

/** The same text further on: only relative distances may count. */
export const OffsetSchema = z.strictObject({
  shift: z.strictObject({
    tokens: z.number().describe("In the user's tokens."),
    probeTokens: z.number().int(),
  }),
  maxDrift: z.number().describe('Largest change of a log-probability, nats.'),
  rmsDrift: z.number().describe('Root mean square of the changes, nats.'),
  verdict: z
    .enum(['none', 'drifts', 'by-definition'])
    .describe('by-definition: only because the table depends on the length.'),
});

export type Form = z.infer<typeof FormSchema>;
export type Gap = z.infer<typeof GapSchema>;
export type Switch = z.infer<typeof SwitchSchema>;
export type Reading = z.infer<typeof ReadingSchema>;
export type Offset = z.infer<typeof OffsetSchema>;

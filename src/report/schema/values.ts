import { z } from 'zod';

/** A measured value with its 95 % interval. */
export const IntervalSchema = z
  .strictObject({ value: z.number(), low: z.number(), high: z.number() })
  .meta({ description: 'A measured value with its 95 % interval.' });

/** Tokens of a user's text, from an untrusted file. No ladder comes near the upper bound. */
export const TokensSchema = z
  .number()
  .min(0)
  .max(2 ** 40);

export const LengthSchema = z.strictObject({
  multiple: z.number().describe('Evaluated length / trained window.'),
  tokens: TokensSchema.describe("The same length in the user's tokens."),
});

/** One length of a ladder. */
export type Length = z.infer<typeof LengthSchema>;
export type Interval = z.infer<typeof IntervalSchema>;

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

export type Reach = z.infer<typeof ReachSchema>;
export type CandidateReach = z.infer<typeof CandidateReachSchema>;

import { z } from 'zod';

/** A measured value with its 95 % interval. */
export const IntervalSchema = z
  .strictObject({ value: z.number(), low: z.number(), high: z.number() })
  .meta({ description: 'A measured value with its 95 % interval.' });

export const LengthSchema = z.strictObject({
  multiple: z.number().describe('Evaluated length / trained window.'),
  tokens: z.number().describe("The same length in the user's tokens."),
});

export type Interval = z.infer<typeof IntervalSchema>;

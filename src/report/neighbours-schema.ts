import { z } from 'zod';
import { ReachSchema, VERDICTS } from './candidate-schema.js';
import { IntervalSchema } from './schema-base.js';

/** The same comparison on another probe model: how far they differ is the probe's uncertainty. */
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
      reach: ReachSchema.nullable(),
      score: z.number().nullable(),
      verdict: z.enum(VERDICTS),
    }),
  ),
});

export type NeighbourReport = z.infer<typeof NeighbourSchema>;

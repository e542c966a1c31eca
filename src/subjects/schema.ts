import { z } from 'zod';

/** The bundled probe model, which stands in for the user's model. */
const ProbeModelSchema = z.strictObject({
  kind: z.literal('probe-model'),
  name: z.string(),
  criticalFraction: z.number(),
  rotaryShare: z.number().optional().describe('Share of each head that rotates.'),
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
});

/** Who answered. A new subject is one variant. */
export const SubjectSchema = z.discriminatedUnion('kind', [ProbeModelSchema]);

export type SubjectReport = z.infer<typeof SubjectSchema>;
export type ProbeModelReport = z.infer<typeof ProbeModelSchema>;

import { z } from 'zod';

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

/** Short-context sums over 0.5x and 1x; losses as in `short`, in nats. */
export type ShortRows = z.infer<typeof ShortRowsSchema>;

/**
 * What each context contributed, so that two runs on the same contexts can be compared in pairs.
 * A cell's value is the sum of a candidate's row over the sum of the same row of the counts.
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

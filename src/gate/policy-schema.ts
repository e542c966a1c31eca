import { z } from 'zod';

const LEVEL = z.enum(['error', 'warn', 'off']);

/** `rope-eval.config.json`, or the key `rope-eval` of package.json. */
export const PolicySchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: the JSON Schema of this file.'),
    rules: z
      .array(
        z.tuple([
          LEVEL.describe('error fails the gate, warn is printed, off is not judged.'),
          z
            .string()
            .describe(
              "'[candidate: ]metric[@length] operator number': 'needle@131072 >= 0.8', 'yarn:4: reach >= 128k'. Lengths: 131072, 128k, 4x, target.",
            ),
        ]),
      )
      .optional()
      .describe('What must hold. Replaces the default rules.'),
    lint: z
      .record(z.string().regex(/^RE\d+$/), LEVEL)
      .optional()
      .describe('Severity per finding code, for example {"RE012": "error"}.'),
    candidates: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("What is gated. Default: 'as-configured', what the config says."),
    target: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('Length in tokens. Default: the largest that the config claims.'),
    preset: z.enum(['quick', 'standard', 'thorough']).optional(),
    seed: z.number().int().nonnegative().optional(),
    samples: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('Long contexts; the cheaper probes get more.'),
    reference: z.enum(['unscaled', 'configured']).optional(),
    trainedWindow: z.number().int().positive().optional(),
    baseline: z.string().optional().describe('A saved report; its path is relative to this file.'),
  })
  .meta({
    title: 'rope-eval gate policy',
    description: 'What a model config must keep before a change of its context length may merge.',
  });

export type PolicyFile = z.infer<typeof PolicySchema>;

/** The JSON Schema that editors read; shipped as schemas/policy.schema.json. */
export function policyJsonSchema(): unknown {
  return z.toJSONSchema(PolicySchema);
}

import { z } from 'zod';
import { ReportSchema } from '../report/schema.js';

/** Of `--optimize --json`; rises as the report's schema does, see docs/json.md. */
export const OPTIMIZE_SCHEMA_VERSION = '1.0';

const TrialSchema = z.strictObject({
  candidate: z.string(),
  scaling: z.string(),
  factor: z.number(),
  lossChange: z.number().nullable().describe('Nats, at 0.5x and 1x of the trained window.'),
  accuracyChange: z.number().nullable(),
  needleAtTarget: z.number().nullable().describe('Relative to the reference at 1x.'),
  reach: z.number().nullable().describe('Tokens.'),
  reachCensored: z.boolean(),
  passes: z.boolean(),
  outcome: z.enum(['passed', 'failed', 'unverifiable']),
});

/** What `--optimize --json` prints. */
export const OptimizationSchema = z.strictObject({
  schemaVersion: z.literal(OPTIMIZE_SCHEMA_VERSION),
  target: z.number().describe('Tokens.'),
  policy: z.string().describe('Path of the policy, or `default`.'),
  best: TrialSchema.nullable(),
  trials: z.array(TrialSchema),
  perLength: z.array(
    z.strictObject({
      upTo: z.number().describe('Tokens.'),
      candidate: z.string().nullable().describe('null: nothing holds at this length.'),
    }),
  ),
  report: ReportSchema,
});

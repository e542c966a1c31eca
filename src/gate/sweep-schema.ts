import { z } from 'zod';
import { ReportSchema } from '../report/schema.js';

/** Rises as the report's schema does; see docs/json.md. */
export const SWEEP_SCHEMA_VERSION = '1.0';

/** A config that could not be evaluated, in the words of the error. */
const SweepErrorSchema = z.strictObject({
  kind: z.string(),
  message: z.string(),
  exitCode: z.number().int(),
});

const SweepEntrySchema = z
  .strictObject({
    config: z.string().describe('Path, as found; entries are sorted by it.'),
    report: ReportSchema.optional(),
    error: SweepErrorSchema.optional(),
  })
  .refine((entry) => (entry.report === undefined) !== (entry.error === undefined), {
    message: 'an entry has either a report or an error',
  });

/** What `sweep` writes, for one shard or, after `merge`, for all. */
export const SweepSchema = z.strictObject({
  schemaVersion: z.literal(SWEEP_SCHEMA_VERSION),
  tool: z.strictObject({ name: z.literal('rope-eval'), version: z.string() }),
  /** `interrupted`: the finished configs only. */
  status: z.enum(['complete', 'interrupted']),
  /** Parts that this file holds, of how many. */
  shards: z.strictObject({ count: z.number().int(), present: z.array(z.number().int()) }),
  configsTotal: z.number().int().describe('Configs in all shards together.'),
  entries: z.array(SweepEntrySchema),
});

export type SweepEntry = z.infer<typeof SweepEntrySchema>;
export type Sweep = z.infer<typeof SweepSchema>;

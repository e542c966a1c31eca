import { z } from 'zod';
import { ReportSchema } from '../report/schema.js';

/** Rises as the report's schema does; see docs/json.md. */
export const SWEEP_SCHEMA_VERSION = '1.1';

/** Parts of these can be merged: what came with a later one is optional. */
const READABLE_VERSIONS = ['1.0', SWEEP_SCHEMA_VERSION] as const;

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
  schemaVersion: z.enum(READABLE_VERSIONS),
  tool: z.strictObject({ name: z.literal('rope-eval'), version: z.string() }),
  /** Since 1.1: what was asked for; preset, seed and contexts stand in every report. */
  settings: z
    .strictObject({
      target: z.number().int().nullable().describe('Tokens; null: 4 x each trained window.'),
      candidates: z
        .array(z.string())
        .nullable()
        .describe('As written; null: the usual set of each model.'),
    })
    .optional(),
  /** `interrupted`: the finished configs only. */
  status: z.enum(['complete', 'interrupted']),
  /** Parts that this file holds, of how many. */
  shards: z.strictObject({ count: z.number().int(), present: z.array(z.number().int()) }),
  configsTotal: z.number().int().describe('Configs in all shards together.'),
  entries: z.array(SweepEntrySchema),
});

export type SweepEntry = z.infer<typeof SweepEntrySchema>;
export type Sweep = z.infer<typeof SweepSchema>;

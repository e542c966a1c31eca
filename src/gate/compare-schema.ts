import { z } from 'zod';
import { IntervalSchema } from '../report/schema.js';
import { MethodSchema } from './method-schema.js';

/** Of `compare --json`; rises as the report's schema does, see docs/json.md. */
export const COMPARE_SCHEMA_VERSION = '1.1';

const CellSchema = z.strictObject({
  candidate: z.string(),
  cell: z.string().describe('`needle@131072`, `short.lossChange`, `reach` (a multiple).'),
  better: z.enum(['higher', 'lower']),
  before: IntervalSchema,
  after: IntervalSchema,
  change: IntervalSchema.describe('after - before.'),
  method: MethodSchema,
  clear: z.boolean().describe('The whole interval of the change lies on one side of 0.'),
});

/** What `compare --json` prints. */
export const ComparisonSchema = z.strictObject({
  schemaVersion: z.literal(COMPARE_SCHEMA_VERSION),
  before: z.string().describe('Path, as given.'),
  after: z.string(),
  paired: z.boolean().describe('Same config, probe model and settings: the same contexts.'),
  differences: z
    .array(z.strictObject({ what: z.string(), before: z.string(), after: z.string() }))
    .describe('Conditions in which the runs differ.'),
  cells: z.array(CellSchema).describe('Largest clear change first.'),
  onlyBefore: z.array(z.string()).describe('`candidate: cell`, in one report only.'),
  onlyAfter: z.array(z.string()),
});

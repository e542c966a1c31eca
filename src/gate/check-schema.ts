import { z } from 'zod';
import { FindingSchema, IntervalSchema, ReportSchema } from '../report/schema.js';
import { REASONS } from './judge-rule.js';
import { MethodSchema } from './method-schema.js';
import { METRICS, type MetricName } from './metrics.js';

/** Of `check --json`; rises as the report's schema does, see docs/json.md. */
export const CHECK_SCHEMA_VERSION = '1.1';

const LEVEL = z.enum(['error', 'warn']);

const RuleResultSchema = z.strictObject({
  level: LEVEL,
  rule: z.string(),
  metric: z.enum(Object.keys(METRICS) as [MetricName, ...MetricName[]]),
  candidate: z.string(),
  part: z.string().optional().describe('Layer type, where a model has several kinds.'),
  at: z.number().optional().describe('Tokens.'),
  operator: z.enum(['>=', '<=', '>', '<']),
  threshold: z.number(),
  outcome: z.enum(['pass', 'fail', 'unverifiable']),
  reason: z.enum(REASONS).optional(),
  found: IntervalSchema.optional(),
  samplesToDecide: z
    .number()
    .nullable()
    .optional()
    .describe('About this many --samples would decide; null where no number helps.'),
});

const BaselineSchema = z.strictObject({
  source: z.string(),
  cells: z.array(
    z.strictObject({
      candidate: z.string(),
      cell: z.string(),
      before: IntervalSchema,
      after: IntervalSchema,
      change: IntervalSchema.describe('after - before.'),
      method: MethodSchema,
      outcome: z.enum(['same', 'improved', 'regressed', 'within-noise']),
    }),
  ),
  regressed: z.number().int(),
  missing: z.array(z.string()),
});

/** What `check --json` prints where a gate ran. */
export const CheckSchema = z.strictObject({
  schemaVersion: z.literal(CHECK_SCHEMA_VERSION),
  status: z.enum([
    'passed',
    'failed',
    'unverifiable',
    'nothing-measured',
    'interrupted',
    'runtime-failed',
  ]),
  exitCode: z.union([z.literal(0), z.literal(1), z.literal(3), z.literal(130)]),
  target: z.number().describe('Tokens.'),
  policy: z.string().describe('Path of the policy, or `default`.'),
  base: z.string().nullable().describe('The config that gave the reference; null = this one.'),
  rules: z.array(RuleResultSchema),
  findings: z.array(FindingSchema.extend({ level: LEVEL })),
  baseline: BaselineSchema.optional(),
  report: ReportSchema,
});

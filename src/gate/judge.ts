import { z } from 'zod';
import type { SavedFinding } from '../findings/index.js';
import type { ModelGeometry } from '../model/types.js';
import {
  type CandidateReport,
  FindingSchema,
  type Interval,
  IntervalSchema,
  type Report,
  ReportSchema,
} from '../report/schema/report.js';
import type { BaselineResult } from './baseline.js';
import { MethodSchema } from './cells.js';
import { judge, type Operator, type Outcome, samplesToDecide } from './interval.js';
import { type Measurement, type MetricName, METRICS } from './metrics.js';
import type { Policy } from './policy.js';
import { formatRule, type LengthContext, lengthInTokens, type Rule } from './rule.js';

/** Why a rule passes although no measurement satisfies it: nothing it asks about can have changed. */

/** Metrics of distances, which a model without global layers never meets. */
const LONG_METRICS: ReadonlySet<MetricName> = new Set<MetricName>(['needle', 'reach']);

/** Whether all layers look back over a window only, so that the metric has no meaning. */
export function isLocalOnly(metric: MetricName, { candidates }: Report): boolean {
  return LONG_METRICS.has(metric) && candidates.some(({ verdict }) => verdict === 'not-needed');
}

/** What a change left as the config before it has it. */
export interface Unchanged {
  /** Labels of candidates that are the same scaling in both configs. */
  readonly candidates: readonly string[];
  /** The length that the config claims is the same. */
  readonly window: boolean;
}

/**
 * What the config after a change has in common with the one before it. Only `as-configured` can
 * be in both: every other candidate is the policy's, not the config's.
 *
 * @param own labels of the candidates that are the config as it stands
 */
export function unchangedBetween(
  before: ModelGeometry,
  after: ModelGeometry,
  own: readonly string[],
): Unchanged {
  return {
    candidates: rotation(before) === rotation(after) ? own : [],
    window: before.maxPositions === after.maxPositions,
  };
}

/** Everything of a model that decides what its rotary tables are, as text. */
function rotation({ groups, softmaxScale }: ModelGeometry): string {
  const layers = groups.map(({ layerType, span, rope }) => ({ layerType, span, rope }));
  return JSON.stringify({ layers, softmaxScale });
}

/**
 * Whether a rule on this metric asks about something that the change left alone. A longer claimed
 * length is a change for the metrics of distances, also with the same scaling.
 */
export function isUnchanged(
  metric: MetricName,
  label: string,
  unchanged: Unchanged | undefined,
): boolean {
  if (!unchanged?.candidates.includes(label)) return false;
  if (metric.startsWith('short.')) return true;
  return unchanged.window && LONG_METRICS.has(metric);
}

export const REASONS = Object.freeze([
  'straddles',
  'ladder-ended',
  'not-measured',
  'no-candidate',
  'local-only',
  'unchanged',
] as const);

/** One rule on one candidate (and one kind of layer). */
export interface RuleResult {
  readonly level: 'error' | 'warn';
  readonly rule: string;
  readonly metric: MetricName;
  readonly candidate: string;
  /** Layer type, where a model has several kinds and the rule is judged on each. */
  readonly part?: string;
  /** Tokens. */
  readonly at?: number;
  readonly operator: Operator;
  readonly threshold: number;
  readonly outcome: Outcome;
  /** Why it could not be verified; `local-only`, `unchanged`: why it passes all the same. */
  readonly reason?: (typeof REASONS)[number];
  /** Absent where nothing was measured. */
  readonly found?: Interval;
  /** About this many --samples would decide; null where no number helps. */
  readonly samplesToDecide?: number | null;
}

/** What rules are judged on. */
export interface RuleInput {
  readonly report: Report;
  /** Labels to judge; what the policy's candidates are called in the report. */
  readonly candidates: readonly string[];
  /** What a change left as it was: no change can be blamed for it. */
  readonly unchanged?: Unchanged;
  /** GiB for one sequence in 16-bit; undefined where the config does not say enough. */
  readonly kvCacheGiB: (tokens: number) => number | undefined;
}

/** One result per candidate that the rule is about, and per kind of layer. */
export function judgeRule(rule: Rule, input: RuleInput): RuleResult[] {
  const { level } = rule;
  if (level === 'off') return [];
  const labels = rule.candidate === undefined ? input.candidates : [rule.candidate];
  return labels.flatMap((label) => {
    const candidate = input.report.candidates.find((each) => each.label === label);
    return judgeCandidate({ ...rule, level }, label, candidate, input);
  });
}

function judgeCandidate(
  rule: Rule & { readonly level: 'error' | 'warn' },
  label: string,
  candidate: CandidateReport | undefined,
  { report, kvCacheGiB, unchanged }: RuleInput,
): RuleResult[] {
  const lengths: LengthContext = {
    trainedWindow: report.reference.trainedWindow,
    target: report.target.tokens,
  };
  const at = lengthOf(rule, lengths);
  const base = {
    level: rule.level,
    rule: formatRule(rule),
    metric: rule.metric,
    candidate: label,
    ...(at === undefined ? {} : { at }),
    operator: rule.operator,
    threshold:
      typeof rule.threshold === 'number' ? rule.threshold : lengthInTokens(rule.threshold, lengths),
  };
  if (!candidate) return [{ ...base, outcome: 'unverifiable', reason: 'no-candidate' }];
  const readings = METRICS[rule.metric].measure({ report, candidate, at, kvCacheGiB });
  if (readings.length === 0 && isLocalOnly(rule.metric, report)) {
    return [{ ...base, outcome: 'pass', reason: 'local-only' }];
  }
  if (readings.length === 0) return [{ ...base, outcome: 'unverifiable', reason: 'not-measured' }];
  return readings.map((reading) => {
    const judged = judgeReading(reading, rule.operator, base.threshold);
    return {
      ...base,
      ...(reading.part === undefined ? {} : { part: reading.part }),
      ...(judged.outcome !== 'pass' && isUnchanged(rule.metric, label, unchanged)
        ? { outcome: 'pass', reason: 'unchanged', found: reading.interval }
        : judged),
    };
  });
}

function lengthOf(rule: Rule, context: LengthContext): number | undefined {
  if (rule.at) return lengthInTokens(rule.at, context);
  return METRICS[rule.metric].length === 'target' ? context.target : undefined;
}

function judgeReading(
  reading: Measurement,
  operator: Operator,
  threshold: number,
): Pick<RuleResult, 'outcome' | 'reason' | 'found' | 'samplesToDecide'> {
  const { interval: found, samples = 0 } = reading;
  const outcome = judge(found, operator, threshold);
  if (reading.censored && outcome !== 'pass' && threshold > found.high) {
    // The ladder stopped at a rung that still holds: the threshold lies where nobody looked.
    return { outcome: 'unverifiable', reason: 'ladder-ended', found };
  }
  if (outcome !== 'unverifiable') return { outcome, found };
  return {
    outcome,
    reason: 'straddles',
    found,
    samplesToDecide: samplesToDecide(found, threshold, samples),
  };
}

/** A finding with the severity that the policy gives it. */
export interface JudgedFinding extends SavedFinding {
  readonly level: 'error' | 'warn';
}

export type GateStatus =
  | 'passed'
  | 'failed'
  /** Nothing failed, but an error rule could not be decided. */
  | 'unverifiable'
  /** No rule found anything to judge. */
  | 'nothing-measured'
  | 'interrupted'
  /** The runtime broke off: no verdict on the config. */
  | 'runtime-failed';

export interface GateResult {
  readonly status: GateStatus;
  readonly exitCode: 0 | 1 | 3 | 130;
  /** Tokens. */
  readonly target: number;
  readonly policy: string;
  readonly rules: readonly RuleResult[];
  readonly findings: readonly JudgedFinding[];
  readonly baseline?: BaselineResult;
}

const EXIT_CODE_OF = Object.freeze({
  passed: 0,
  failed: 1,
  unverifiable: 1,
  'nothing-measured': 1,
  interrupted: 130,
  'runtime-failed': 3,
} as const satisfies Record<GateStatus, number>);

export interface VerdictInput extends RuleInput {
  readonly policy: Policy;
  /** Beside the report's own: what changed since the base config. */
  readonly findings?: readonly SavedFinding[];
  readonly baseline?: BaselineResult;
}

/** Judges a report. Pure: the same report and policy give the same result. */
export function judgeReport(input: VerdictInput): GateResult {
  const { report, policy } = input;
  const target = report.target.tokens;
  const rules = policy.rules.flatMap((rule) => judgeRule(rule, input));
  const findings = [...(input.findings ?? []), ...report.findings].flatMap((finding) =>
    judgeFinding(finding, policy),
  );
  const status = statusOf(report, rules, findings, input.baseline);
  return {
    status,
    exitCode: EXIT_CODE_OF[status],
    target,
    policy: policy.source,
    rules,
    findings,
    ...(input.baseline ? { baseline: input.baseline } : {}),
  };
}

function statusOf(
  report: Report,
  rules: readonly RuleResult[],
  findings: readonly JudgedFinding[],
  baseline: BaselineResult | undefined,
): GateStatus {
  // Half of the cells are no basis for a pass, and an abort is no failure of the config.
  if (report.status === 'failed') return 'runtime-failed';
  if (report.status === 'interrupted') return 'interrupted';
  const errors = rules.filter((rule) => rule.level === 'error');
  if (
    errors.some((rule) => rule.outcome === 'fail') ||
    findings.some((finding) => finding.level === 'error') ||
    (baseline !== undefined && baseline.regressed > 0)
  ) {
    return 'failed';
  }
  const measured = rules.some((rule) => rule.found !== undefined);
  if (!measured && !baseline?.cells.length) return 'nothing-measured';
  return errors.some((rule) => rule.outcome === 'unverifiable') ? 'unverifiable' : 'passed';
}

function judgeFinding(finding: SavedFinding, policy: Policy): JudgedFinding[] {
  const fallback = { error: 'error', warning: 'warn', notice: 'off' } as const;
  const level = policy.lint[finding.code] ?? fallback[finding.severity];
  return level === 'off' ? [] : [{ ...finding, level }];
}

/** Of `check --json`; rises as the report's schema does, see docs/json.md. */
export const CHECK_SCHEMA_VERSION = '2.0';

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

import { z } from 'zod';
import type { SavedFinding } from '../findings/index.js';
import {
  type CandidateReport,
  FindingSchema,
  IntervalSchema,
  type Report,
  ReportSchema,
} from '../report/schema/report.js';
import type { BaselineResult } from './baseline.js';
import {
  CellNameSchema,
  judge,
  MethodSchema,
  type Operator,
  type Outcome,
  samplesToDecide,
  satisfies,
} from './cells.js';
import { type Difference, DifferenceSchema } from './differences.js';
import { lacksFacts, METRIC_NAMES, type MetricName, METRICS, type MetricValue } from './metrics.js';
import {
  formatRule,
  type LengthContext,
  lengthInTokens,
  type Policy,
  type Rule,
} from './policy.js';

/** Whether all layers have a sliding window, so that a metric of distances has no meaning. */
function isLocalOnly(metric: MetricName, { candidates }: Report): boolean {
  return (
    METRICS[metric].kind === 'distance' &&
    candidates.some(({ verdict }) => verdict === 'not-needed')
  );
}

/** What the base config and the changed one have in common. */
export interface Unchanged {
  /** Labels of the candidates that represent the config itself. */
  readonly own: readonly string[];
  /** Every layer rotates, looks back and scores as before. */
  readonly rotation: boolean;
  /** The config claims the same length as before. */
  readonly window: boolean;
}

/**
 * Whether a rule on this metric asks about something that did not change. A longer claimed length
 * counts as a change for metrics of distances, even with the same scaling.
 */
function isUnchanged(metric: MetricName, label: string, unchanged: Unchanged | undefined): boolean {
  // Every other candidate comes from the policy and not from the config.
  if (!unchanged?.rotation || !unchanged.own.includes(label)) return false;
  const { kind } = METRICS[metric];
  return kind === 'short' || (kind === 'distance' && unchanged.window);
}

const LEVEL = z.enum(['error', 'warn']);

/** The result of one rule for one candidate (and one layer type). */
const RuleResultSchema = z.strictObject({
  level: LEVEL,
  rule: z.string(),
  metric: z.enum(METRIC_NAMES),
  candidate: z.string(),
  part: z.string().optional().describe('Layer type, where a model has several kinds.'),
  at: z.number().optional().describe('Tokens.'),
  operator: z.enum(['>=', '<=', '>', '<']),
  threshold: z.number(),
  outcome: z.enum(['pass', 'fail', 'unverifiable']),
  reason: z
    .enum([
      'straddles',
      'ladder-ended',
      'not-measured',
      'no-facts',
      'one-context',
      'no-candidate',
      'local-only',
      'unchanged',
      'ambiguous-reference',
    ])
    .optional()
    .describe('Why it could not be verified; local-only, unchanged: why it passes all the same.'),
  found: IntervalSchema.optional().describe('Absent where nothing was measured.'),
  samplesToDecide: z
    .number()
    .nullable()
    .optional()
    .describe('About so many samples would decide; null where no number helps.'),
});

export type RuleResult = Readonly<z.infer<typeof RuleResultSchema>>;

/** The inputs that rules are judged on. */
export interface RuleInput {
  readonly report: Report;
  /** Labels to judge: the policy's candidates by their names in the report. */
  readonly candidates: readonly string[];
  /** What the change left alone and so cannot be blamed for. Absent without a base config. */
  readonly unchanged?: Unchanged;
  /** Whether the config can be read in two ways, one of which would pass by definition. */
  readonly ambiguousReference?: boolean;
  /** GiB for one sequence in 16-bit; undefined if the config does not say enough. */
  readonly kvCacheGiB: (tokens: number) => number | undefined;
}

/** Judges one rule. Returns a result for each candidate and layer type that it is about. */
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
  { report, kvCacheGiB, unchanged, ambiguousReference = false }: RuleInput,
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
    // If the change itself removed the long distances, the rule cannot be judged, so it does not
    // pass.
    const outcome = unchanged === undefined || unchanged.rotation ? 'pass' : 'unverifiable';
    return [{ ...base, outcome, reason: 'local-only' }];
  }
  if (readings.length === 0) {
    if (!lacksFacts(rule.metric, report))
      return [{ ...base, outcome: 'unverifiable', reason: 'not-measured' }];
    const excused = excuse('unverifiable', rule.metric, label);
    return [{ ...base, outcome: 'unverifiable', reason: 'no-facts', ...excused }];
  }
  return readings.map((reading) => {
    const judged = judgeReading(reading, rule.operator, base.threshold);
    return {
      ...base,
      ...(reading.part === undefined ? {} : { part: reading.part }),
      ...judged,
      ...excuse(judged.outcome, rule.metric, label),
    };
  });

  function excuse(
    outcome: Outcome,
    metric: MetricName,
    own: string,
  ): Partial<Pick<RuleResult, 'outcome' | 'reason' | 'samplesToDecide'>> {
    if (outcome === 'pass') return {};
    if (isUnchanged(metric, own, unchanged)) {
      return { outcome: 'pass', reason: 'unchanged', samplesToDecide: undefined };
    }
    if (!ambiguousReference || METRICS[metric].kind === 'cost') return {};
    return { outcome: 'unverifiable', reason: 'ambiguous-reference', samplesToDecide: undefined };
  }
}

function lengthOf(rule: Rule, context: LengthContext): number | undefined {
  if (rule.at) return lengthInTokens(rule.at, context);
  return METRICS[rule.metric].length === 'target' ? context.target : undefined;
}

function judgeReading(
  reading: MetricValue,
  operator: Operator,
  threshold: number,
): Pick<RuleResult, 'outcome' | 'reason' | 'found' | 'samplesToDecide'> {
  const { interval: found, samplesOption: samples = 0, allLost } = reading;
  if (
    allLost !== undefined &&
    operator.startsWith('>') &&
    satisfies(allLost, operator, threshold)
  ) {
    // Weights that find no facts without a scaling cannot lose any, so nothing could fail the rule.
    return { outcome: 'unverifiable', reason: 'no-facts', found };
  }
  if (reading.single) return { outcome: 'unverifiable', reason: 'one-context', found };
  const outcome = judge(found, operator, threshold);
  if (reading.censored && outcome !== 'pass' && threshold > found.high) {
    // The accuracy still held at the end of the ladder, so nothing was measured near the threshold.
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
  /** Nothing failed, but a rule of level error could not be decided. */
  | 'unverifiable'
  /** No rule found anything to judge. */
  | 'nothing-measured'
  | 'interrupted'
  /** The runtime failed, so there is no verdict on the config. */
  | 'runtime-failed';

/** The verdict of a gate, with everything that led to it. */
export interface GateResult {
  readonly status: GateStatus;
  readonly exitCode: 0 | 1 | 3 | 130;
  /** Tokens; null if nothing was measured because the model does not use RoPE. */
  readonly target: number | null;
  readonly policy: string;
  readonly rules: readonly RuleResult[];
  readonly findings: readonly JudgedFinding[];
  /** Keys that differ from the base config; absent without one. */
  readonly differences?: readonly Difference[];
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
  /** Findings besides the report's own: what changed since the base config. */
  readonly findings?: readonly SavedFinding[];
  readonly differences?: readonly Difference[];
  readonly baseline?: BaselineResult;
}

/**
 * Turns a report into the gate's verdict: judges every rule and finding of the policy, and the
 * comparison with the baseline. The same input gives the same result.
 */
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
    ...(input.differences ? { differences: input.differences } : {}),
    ...(input.baseline ? { baseline: input.baseline } : {}),
  };
}

/**
 * Judges two configs that no probe can measure. Every change fails unless it is harmless or
 * allowed.
 */
export function judgeEquality(
  policy: Policy,
  differences: readonly Difference[],
  changes: readonly SavedFinding[],
): GateResult {
  const findings = changes.flatMap((finding) => judgeFinding(finding, policy));
  const status = findings.some(({ level }) => level === 'error') ? 'failed' : 'passed';
  return {
    status,
    exitCode: EXIT_CODE_OF[status],
    target: null,
    policy: policy.source,
    rules: [],
    findings,
    differences,
  };
}

function statusOf(
  report: Report,
  rules: readonly RuleResult[],
  findings: readonly JudgedFinding[],
  baseline: BaselineResult | undefined,
): GateStatus {
  // A partial run is no basis for a pass, and an abort is not a failure of the config.
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

/** Version of `check --json`. It rises whenever that of the report does, see docs/json.md. */
export const CHECK_SCHEMA_VERSION = '2.1';

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
  missing: z.array(CellNameSchema),
});

/** What `check --json` prints after a gate ran. */
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
  target: z.number().nullable().describe('Tokens; null where the model does not use RoPE.'),
  policy: z.string().describe('Path of the policy, or `default`.'),
  base: z.string().nullable().describe('The config that gave the reference; null = this one.'),
  rules: z.array(RuleResultSchema),
  findings: z.array(FindingSchema.extend({ level: LEVEL })),
  differences: z
    .array(DifferenceSchema)
    .optional()
    .describe('Keys that differ from the base config; absent without one.'),
  baseline: BaselineSchema.optional(),
  report: ReportSchema.nullable().describe('null where the model does not use RoPE.'),
});

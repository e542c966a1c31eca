import { z } from 'zod';
import type { SavedFinding } from '../findings/index.js';
import type { ReadonlyDeep } from '../json/parse.js';
import {
  type CandidateReport,
  FindingSchema,
  IntervalSchema,
  type Report,
  ReportSchema,
} from '../report/schema/report.js';
import { type BaselineResult, BaselineSchema } from './baseline.js';
import { judge, type Operator, samplesToDecide, satisfies } from './cells.js';
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
  readonly unchanged?: Unchanged | undefined;
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
  input: RuleInput,
): RuleResult[] {
  const { report, kvCacheGiB, unchanged } = input;
  const { level, metric, operator, threshold } = rule;
  const lengths = {
    trainedWindow: report.reference.trainedWindow,
    target: report.target.tokens,
  };
  const at = lengthOf(rule, lengths);
  const base = {
    level,
    rule: formatRule(rule),
    metric,
    candidate: label,
    ...(at === undefined ? {} : { at }),
    operator,
    threshold: typeof threshold === 'number' ? threshold : lengthInTokens(threshold, lengths),
  };
  const undecided = (reason: NonNullable<RuleResult['reason']>): RuleResult => {
    return { ...base, outcome: 'unverifiable', reason };
  };
  if (!candidate) return [undecided('no-candidate')];
  const readings = METRICS[metric].measure({ report, candidate, at, kvCacheGiB });
  if (readings.length > 0) {
    return readings.map((reading) => {
      const { part } = reading;
      const judged = judgeReading(reading, operator, base.threshold);
      return excused({ ...base, ...(part === undefined ? {} : { part }), ...judged }, input);
    });
  }
  if (isLocalOnly(metric, report)) {
    // If the change itself removed the long distances, the rule cannot be judged, so it does not
    // pass.
    const holds = unchanged === undefined || unchanged.rotation;
    return [{ ...undecided('local-only'), ...(holds && { outcome: 'pass' }) }];
  }
  if (lacksFacts(metric, report)) return [excused(undecided('no-facts'), input)];
  return [undecided('not-measured')];
}

/** Judges again where a rule did not pass, and neither the change nor the config is to blame. */
function excused(
  judged: RuleResult,
  { unchanged, ambiguousReference = false }: RuleInput,
): RuleResult {
  const { metric, candidate, outcome } = judged;
  if (outcome === 'pass') return judged;
  if (isUnchanged(metric, candidate, unchanged)) {
    return { ...judged, outcome: 'pass', reason: 'unchanged', samplesToDecide: undefined };
  }
  if (!ambiguousReference || METRICS[metric].kind === 'cost') return judged;
  const reason = 'ambiguous-reference';
  return { ...judged, outcome: 'unverifiable', reason, samplesToDecide: undefined };
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

/** Every status of a gate, with the exit code of a command that ends with it. */
const EXIT_CODE_OF = Object.freeze({
  passed: 0,
  failed: 1,
  /** Nothing failed, but a rule of level error could not be decided. */
  unverifiable: 1,
  /** No rule found anything to judge. */
  'nothing-measured': 1,
  interrupted: 130,
  /** The runtime failed, so there is no verdict on the config. */
  'runtime-failed': 3,
} as const);

export type GateStatus = keyof typeof EXIT_CODE_OF;

export interface VerdictInput extends RuleInput {
  readonly policy: Policy;
  /** Findings besides the report's own: what changed since the base config. */
  readonly findings?: readonly SavedFinding[];
  readonly differences?: readonly Difference[] | undefined;
  readonly baseline?: BaselineResult | undefined;
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
    differences: input.differences,
    baseline: input.baseline,
  };
}

/** Judges configs that no probe can measure: every change fails unless harmless or allowed. */
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

/** What `check --json` prints after a gate ran. */
export const CheckSchema = z.strictObject({
  schemaVersion: z.literal(CHECK_SCHEMA_VERSION),
  status: z.enum(Object.keys(EXIT_CODE_OF) as [GateStatus, ...GateStatus[]]),
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

/** A finding with the severity that the policy gives it. */
export interface JudgedFinding extends SavedFinding {
  readonly level: 'error' | 'warn';
}

/** The verdict of a gate, with everything that led to it. */
export type GateResult = Omit<
  ReadonlyDeep<z.infer<typeof CheckSchema>>,
  'schemaVersion' | 'base' | 'report' | 'findings'
> & { readonly findings: readonly JudgedFinding[] };

import type { Finding } from '../findings.js';
import type { CandidateReport, Interval, Report } from '../report/schema.js';
import type { BaselineResult } from './baseline.js';
import { isLocalOnly, isUnchanged, type Unchanged } from './excused.js';
import { judge, samplesToDecide, type Operator, type Outcome } from './interval.js';
import { lengthInTokens, type LengthContext } from './length.js';
import { METRICS, type Measurement, type MetricName } from './metrics.js';
import type { Policy } from './policy.js';
import { formatRule, type Rule } from './rule.js';

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

/** A finding with the severity that the policy gives it. */
export interface JudgedFinding extends Finding {
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

export const EXIT_CODE_OF = Object.freeze({
  passed: 0,
  failed: 1,
  unverifiable: 1,
  'nothing-measured': 1,
  interrupted: 130,
  'runtime-failed': 3,
} as const satisfies Record<GateStatus, number>);

export interface VerdictInput {
  readonly report: Report;
  readonly policy: Policy;
  /** Labels to judge; what the policy's candidates are called in the report. */
  readonly candidates: readonly string[];
  /** Beside the report's own: what changed since the base config. */
  readonly findings?: readonly Finding[];
  readonly baseline?: BaselineResult;
  /** What a change left as it was: no change can be blamed for it. */
  readonly unchanged?: Unchanged;
  /** GiB for one sequence in 16-bit; undefined where the config does not say enough. */
  readonly kvCacheGiB: (tokens: number) => number | undefined;
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

function judgeFinding(finding: Finding, policy: Policy): JudgedFinding[] {
  const fallback = { error: 'error', warning: 'warn', notice: 'off' } as const;
  const level = policy.lint[finding.code] ?? fallback[finding.severity];
  return level === 'off' ? [] : [{ ...finding, level }];
}

function judgeRule(rule: Rule, input: VerdictInput): RuleResult[] {
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
  { report, kvCacheGiB, unchanged }: VerdictInput,
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

import type { CandidateReport, Interval, Report } from '../report/schema.js';
import { isLocalOnly, isUnchanged, type Unchanged } from './excused.js';
import { judge, samplesToDecide, type Operator, type Outcome } from './interval.js';
import { lengthInTokens, type LengthContext } from './length.js';
import { METRICS, type Measurement, type MetricName } from './metrics.js';
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

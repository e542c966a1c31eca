import type { Finding } from '../findings.js';
import type { Report } from '../report/schema.js';
import type { BaselineResult } from './baseline.js';
import { judgeRule, type RuleInput, type RuleResult } from './judge-rule.js';
import type { Policy } from './policy.js';

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
  readonly findings?: readonly Finding[];
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

function judgeFinding(finding: Finding, policy: Policy): JudgedFinding[] {
  const fallback = { error: 'error', warning: 'warn', notice: 'off' } as const;
  const level = policy.lint[finding.code] ?? fallback[finding.severity];
  return level === 'off' ? [] : [{ ...finding, level }];
}

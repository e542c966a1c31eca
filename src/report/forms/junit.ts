import { nats, points, printable, reachTokens, tokens } from '../format.js';
import type { CandidateReport, Report, Verdict } from '../schema/report.js';
import { honestyWords } from '../sections/conditions.js';
import { rangeText, shortCostOnModels } from '../real-models.js';
import { verdictWords } from '../sections/summary.js';
import {
  type GateOutcome,
  type Markup,
  type Reporter,
  type RuleOutcome,
  markup as xml,
} from './form.js';

/** One test: a rule if a gate ran, otherwise whether a candidate reaches the target. */
interface TestCase {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly message: string;
}

/** Writes JUnit XML, which GitLab, Jenkins and most CI systems read. */
export const junit: Reporter = (report, { gate }) => {
  const cases = gate ? gate.rules.map((rule) => ruleCase(rule)) : candidateCases(report);
  const count = (outcome: TestCase['outcome']): number =>
    cases.filter((one) => one.outcome === outcome).length;
  const source = clean(report.config.source);
  const seconds = (report.timings.totalMs / 1000).toFixed(3);
  const suite = xml`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="rope-eval" tests="${cases.length}" failures="${count('failed')}" skipped="${count('skipped')}" errors="0" time="${seconds}">
<testsuite name="${source}" tests="${cases.length}" failures="${count('failed')}" skipped="${count('skipped')}" errors="0" time="${seconds}" timestamp="${report.createdAt.replace(/\.\d+Z$/, '')}">
<properties>${Object.entries(propertiesOf(report, gate)).map(
    ([name, value]) => xml`<property name="${name}" value="${value}"/>`,
  )}</properties>
${cases.map((one) => drawCase(one, source))}
<system-out>${honestyWords(report)}</system-out>
</testsuite>
</testsuites>
`;
  return suite.text;
};

function drawCase({ name, outcome, message }: TestCase, source: string): Markup {
  const body = {
    passed: xml``,
    failed: xml`<failure message="${clean(message)}"/>`,
    skipped: xml`<skipped message="${clean(message)}"/>`,
  }[outcome];
  return xml`<testcase classname="${source}" name="${clean(name)}">${body}</testcase>`;
}

function ruleCase({ rule, candidate, level, status, message }: RuleOutcome): TestCase {
  const name = `${candidate}: ${rule}`;
  if (status === 'passed') return { name, outcome: 'passed', message };
  // A warning must not fail a pipeline.
  const outcome = level === 'error' ? 'failed' : 'skipped';
  return { name, outcome, message: `${status}: ${message}` };
}

const OUTCOMES: Readonly<Record<Verdict, TestCase['outcome']>> = Object.freeze({
  reference: 'passed',
  reaches: 'passed',
  'reaches-at-a-cost': 'passed',
  'falls-short': 'failed',
  'fails-short': 'failed',
  unclear: 'skipped',
  'not-needed': 'passed',
});

function candidateCases(report: Report): readonly TestCase[] {
  return report.candidates
    .filter(({ role }) => role === 'candidate')
    .map((candidate) => ({
      name: `${candidate.label} reaches ${tokens(report.target.tokens)} tokens`,
      // An unfinished candidate has neither passed nor failed.
      outcome: candidate.reach === null ? 'skipped' : OUTCOMES[candidate.verdict],
      message: describe(report, candidate),
    }));
}

function describe(report: Report, candidate: CandidateReport): string {
  const { verdict, reach, short } = candidate;
  const parts = [verdictWords(verdict)];
  if (reach) parts.push(`reach ${reachTokens(reach)} tokens`);
  if (short) {
    const { lossChange, accuracyChange } = short;
    const range = rangeText(shortCostOnModels(report, candidate));
    const whose = range === '' ? '' : ` (${range})`;
    parts.push(
      `short context ${nats(lossChange.value)} nats${whose}, ${points(accuracyChange.value)}`,
    );
  }
  return parts.join('; ');
}

function propertiesOf(report: Report, gate: GateOutcome | undefined): Record<string, string> {
  return {
    status: report.status,
    preset: report.settings.preset,
    seed: String(report.settings.seed),
    probeModel: report.subject.name,
    ...(gate ? { gate: gate.verdict } : {}),
  };
}

/** Replaces what XML 1.0 cannot represent: most control characters and unpaired surrogates. */
function clean(text: string): string {
  return printable(text).replaceAll(/\p{Surrogate}|[\ufffe\uffff]/gu, '·');
}

import type { ChalkInstance } from 'chalk';
import { wordFinding } from '../../finding-catalogue/index.js';
import type { Advice } from '../../gate/advice.js';
import { baselineWords, cellMessage } from '../../gate/baseline-words.js';
import type { RuleResult } from '../../gate/judge-rule.js';
import type { GateResult } from '../../gate/verdict.js';
import { ruleMessage, ruleSubject, verdictLine } from '../../gate/words.js';
import { list, printable, tokens } from '../../report/format.js';
import type { Report } from '../../report/schema.js';
import { HONESTY, referenceWords } from '../../report/wording.js';

export interface CheckText {
  readonly result: GateResult;
  readonly report: Report;
  readonly candidates: readonly string[];
  /** The config that gave the reference, where it is another one. */
  readonly base: string | undefined;
  readonly advice: readonly Advice[];
}

/** The gate for a person: every rule, what to change and where, and the verdict last. */
export function checkText(input: CheckText, paint: ChalkInstance): string {
  const { result, report, candidates, base, advice } = input;
  const policy = result.policy === 'default' ? 'the default policy' : result.policy;
  const head =
    `Gate on ${printable(report.config.source)}: ${list(candidates.map(printable))} ` +
    `at ${tokens(result.target)} tokens, by ${printable(policy)}`;
  const blocks = [
    [paint.bold(head), ...result.rules.map((rule) => ruleLine(rule, paint))],
    findingLines(result, paint),
    baselineLines(result, paint),
    advice.length > 0
      ? [paint.bold('What to change'), ...advice.map(({ text }) => `  ${printable(text)}`)]
      : [],
    [
      ...(base === undefined ? [] : [`The reference is ${printable(base)}.`]),
      ...referenceWords(report),
      HONESTY,
    ],
    [painted(result, paint)(verdictLine(result))],
  ];
  const filled = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${filled.join('\n\n')}\n`;
}

function ruleLine(rule: RuleResult, paint: ChalkInstance): string {
  const passed = rule.outcome === 'pass';
  const mark = passed
    ? paint.green('pass')
    : rule.level === 'warn'
      ? paint.yellow('warn')
      : paint.red(rule.outcome === 'fail' ? 'FAIL' : '????');
  return `  ${mark}  ${printable(ruleSubject(rule))}\n        ${ruleMessage(rule)}`;
}

function findingLines({ findings }: GateResult, paint: ChalkInstance): string[] {
  if (findings.length === 0) return [];
  return [
    paint.bold('Findings'),
    ...findings.map((finding) => {
      const color = finding.level === 'error' ? paint.red : paint.yellow;
      return `  ${color(finding.level)}  ${finding.code} ${printable(wordFinding(finding))}`;
    }),
  ];
}

function baselineLines({ baseline }: GateResult, paint: ChalkInstance): string[] {
  if (!baseline) return [];
  return [
    paint.bold(baselineWords(baseline)),
    ...baseline.cells
      .filter((cell) => cell.outcome === 'regressed')
      .map(
        (cell) => `  ${paint.red('FAIL')}  ${cell.candidate} ${cell.cell}: ${cellMessage(cell)}`,
      ),
    ...baseline.missing.map((key) => `  ${paint.red('FAIL')}  ${key}: not measured in this run`),
  ];
}

function painted(result: GateResult, paint: ChalkInstance): ChalkInstance {
  return result.exitCode === 0 ? paint.green.bold : paint.red.bold;
}

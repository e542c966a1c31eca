import { wordFinding } from '../findings/index.js';
import type { Advice } from '../gate/advice.js';
import type { GateResult, RuleResult } from '../gate/judge.js';
import {
  baselineWords,
  cellMessage,
  ruleMessage,
  ruleSubject,
  verdictLine,
} from '../gate/words.js';
import { list, printable, tokens } from '../report/format.js';
import type { Report } from '../report/schema/report.js';
import { honestyWords, referenceWords, subjectWords } from '../report/sections/conditions.js';
import { recomputedOnly } from '../report/sections/serving.js';
import { fill } from '../report/terminal.js';
import type { Paint } from '../report/paint.js';

export interface CheckText {
  readonly result: GateResult;
  readonly report: Report;
  readonly candidates: readonly string[];
  /** The config that gave the reference, where it is another one. */
  readonly base: string | undefined;
  readonly advice: readonly Advice[];
  /** Characters. */
  readonly columns: number;
}

/** The gate for a person: pass or fail first, then what to change and where, then every rule. */
export function checkText(input: CheckText, paint: Paint): string {
  const { result, report, candidates, base, advice, columns } = input;
  const filled = (text: string, indent = ''): string => `${indent}${fill(text, columns, indent)}`;
  const policy = result.policy === 'default' ? 'the default policy' : result.policy;
  const head =
    `Gate on ${printable(report.config.source)}: ${list(candidates.map(printable))} ` +
    `at ${tokens(result.target)} tokens, by ${printable(policy)}`;
  const blocks = [
    [painted(filled(verdictLine(result)), result, paint)],
    advice.length > 0
      ? [paint.bold('What to change'), ...advice.map(({ text }) => filled(printable(text), '  '))]
      : [],
    [paint.bold(filled(head)), ...result.rules.map((rule) => ruleLines(rule, columns, paint))],
    findingLines(result, columns, paint),
    baselineLines(result, columns, paint),
    [
      ...(base === undefined ? [] : [`The reference is ${printable(base)}.`]),
      ...servingWords(report, candidates),
      ...referenceWords(report),
      subjectWords(report),
      honestyWords(report),
    ].map((line) => filled(line)),
  ];
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

/** What the dynamic scalings that were judged are elsewhere than where they were measured. */
function servingWords(report: Report, judged: readonly string[]): string[] {
  return judged.flatMap((label) => {
    const words = recomputedOnly(
      report.candidates.find((each) => each.label === label),
      report,
    );
    return words === '' ? [] : [`${printable(label)}: ${words}`];
  });
}

/** Where the text stands beside `pass` or `FAIL`. */
const UNDER_MARK = ' '.repeat(8);

function ruleLines(rule: RuleResult, columns: number, paint: Paint): string {
  const passed = rule.outcome === 'pass';
  const mark = passed
    ? paint.green('pass')
    : rule.level === 'warn'
      ? paint.yellow('warn')
      : paint.red(rule.outcome === 'fail' ? 'FAIL' : '????');
  const subject = fill(printable(ruleSubject(rule)), columns, UNDER_MARK);
  return `  ${mark}  ${subject}\n${UNDER_MARK}${fill(ruleMessage(rule), columns, UNDER_MARK)}`;
}

function findingLines({ findings }: GateResult, columns: number, paint: Paint): string[] {
  if (findings.length === 0) return [];
  return [
    paint.bold('Findings'),
    ...findings.map((finding) => {
      const color = finding.level === 'error' ? paint.red : paint.yellow;
      const indent = ' '.repeat(finding.level.length + 4);
      const words = `${finding.code} ${printable(wordFinding(finding))}`;
      return `  ${color(finding.level)}  ${fill(words, columns, indent)}`;
    }),
  ];
}

function baselineLines({ baseline }: GateResult, columns: number, paint: Paint): string[] {
  if (!baseline) return [];
  const failed = (words: string): string =>
    `  ${paint.red('FAIL')}  ${fill(words, columns, UNDER_MARK)}`;
  return [
    paint.bold(fill(baselineWords(baseline), columns, '')),
    ...baseline.cells
      .filter((cell) => cell.outcome === 'regressed')
      .map((cell) => failed(`${cell.candidate} ${cell.cell}: ${cellMessage(cell)}`)),
    ...baseline.missing.map(({ candidate, cell }) =>
      failed(`${candidate} ${cell}: not measured in this run`),
    ),
  ];
}

function painted(text: string, result: GateResult, paint: Paint): string {
  return result.exitCode === 0 ? paint.boldGreen(text) : paint.boldRed(text);
}

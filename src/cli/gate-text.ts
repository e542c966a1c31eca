import { wordFinding } from '../findings/index.js';
import type { ComparedCell, Comparison } from '../gate/baseline.js';
import type { CellName } from '../gate/cells.js';
import type { GateResult, RuleResult } from '../gate/judge.js';
import {
  type Advice,
  baselineWords,
  cellMessage,
  intervalWords,
  methodWords,
  ruleBrief,
  ruleMessage,
  ruleSubject,
  UNCHANGED,
  verdictLine,
} from '../gate/words.js';
import { list, type Paint, printable, tokens, trim } from '../report/format.js';
import { rangeText, scaleWords, shortCostOnModels } from '../report/real-models.js';
import type { Report } from '../report/schema/report.js';
import {
  honestyWords,
  readingWords,
  recomputedOnly,
  referenceWords,
  subjectBrief,
  subjectWords,
} from '../report/sections/conditions.js';
import {
  paragraphs,
  plainTable,
  type Section,
  type TableBlock,
  textSection,
} from '../report/sections/section.js';
import { effectWords } from '../report/sections/verdict.js';
import { fill, textWidth } from '../report/terminal.js';
import { FLAG_NAMES, flagOf } from './failure.js';

/** The gate's result for people, in a terminal and in the log of a CI job. */

export interface CheckText extends Sheet {
  readonly result: GateResult;
  /** null: nothing was measured. */
  readonly report: Report | null;
  /** The config's path, as the user wrote it. */
  readonly source: string;
  readonly candidates: readonly string[];
  /** The config that gave the reference, if it is another one. */
  readonly base: string | undefined;
  readonly advice: readonly Advice[];
  /** The command that compares scalings beyond the length that the config claims. */
  readonly further: string;
}

interface Sheet {
  /** Width in characters. */
  readonly columns: number;
  readonly paint: Paint;
}

/** Merges advice on the same place in the config and drops repeated sentences and commands. */
export function mergeAdvice(all: readonly (Advice | undefined)[]): readonly Advice[] {
  const places = new Map<string, Advice[]>();
  for (const advice of all) {
    if (advice) places.set(advice.place, [...(places.get(advice.place) ?? []), advice]);
  }
  return [...places.values()].map((group): Advice => {
    const says = [...new Set(group.map((each) => each.says))].join(' ');
    const next = [
      ...new Map(
        group.flatMap((each) => each.next).map((step) => [step.command, step] as const),
      ).values(),
    ];
    return { ...group[0]!, says, next };
  });
}

/** Draws the verdict, what to change and where, and what failed, on one screen. */
export function checkAnswer(input: CheckText): string {
  const { columns, paint } = input;
  return joined([
    ...openingBlocks(input),
    [...problemLines(input), ...passedLines(input)],
    baselineLines(input),
    [paint.dim(fill(conditionsLine(input), columns, ''))],
  ]);
}

/** Draws everything: every rule with its interval, and the conditions. */
export function checkDetails(input: CheckText): string {
  const { result, report, source, candidates, base, columns, paint } = input;
  const filled = (text: string): string => fill(text, columns, '');
  const what =
    result.target === null
      ? 'compared key by key'
      : `${list(candidates.map(printable))} at ${tokens(result.target)} tokens`;
  const head = `Gate on ${printable(report?.config.source ?? source)}: ${what}, by ${policyName(result)}`;
  const findings = findingLines(result.findings, input);
  // Findings that fail the gate are printed above what passed.
  const failing = result.findings.some(({ level }) => level === 'error');
  return joined([
    ...openingBlocks(input),
    failing ? [paint.bold('Findings'), ...findings] : [],
    [paint.bold(filled(head)), ...result.rules.map((rule) => ruleLines(rule, input))],
    failing || findings.length === 0 ? [] : [paint.bold('Findings'), ...findings],
    baselineLines(input),
    [
      ...(base === undefined ? [] : [`The reference is ${printable(base)}.`]),
      ...(report === null
        ? [WITHOUT_ROPE]
        : [
            ...servingWords(report, candidates),
            ...referenceWords(report),
            subjectWords(report),
            ...costWords(report, result, candidates),
            honestyWords(report),
          ]),
    ].map(filled),
  ]);
}

/** Gives the verdict, what the change costs and reaches, and what to change. */
function openingBlocks(input: CheckText): readonly (readonly string[])[] {
  const { result, advice, columns, paint } = input;
  const verdict = fill(verdictLine(result), columns, '');
  const color = result.exitCode === 0 ? paint.boldGreen : paint.boldRed;
  return [
    [color(verdict), ...effectLines(input)],
    advice.length > 0
      ? [paint.bold('What to change'), ...advice.flatMap((each) => drawAdvice(each, columns))]
      : [],
  ];
}

function joined(blocks: readonly (readonly string[])[]): string {
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

function policyName({ policy }: GateResult): string {
  return policy === 'default' ? 'the default policy' : printable(policy);
}

/** Says what the judged candidates cost and reach, which the rules only compare with thresholds. */
function effectLines(input: CheckText): string[] {
  const { result, report, candidates, base, further, columns } = input;
  if (report?.status !== 'complete') return [];
  // These findings name what no probe measures, so that a sentence on the tables would mislead.
  const isStructural = result.findings.some(
    ({ level, severity }) => level === 'error' && severity === 'error',
  );
  if (isStructural && result.rules.every(({ outcome }) => outcome !== 'fail')) {
    return [fill(BEYOND_PROBES, columns, '')];
  }
  const isOpen = result.rules.some(({ reason }) => reason === 'ambiguous-reference');
  const said = candidates
    .slice(0, MOST_EFFECTS)
    .map((label) => effectWords(report, label))
    .filter((sentence) => sentence !== '')
    .map((sentence) => fill(`${isOpen ? ADDED : ''}${sentence}`, columns, ''));
  // At the trained window alone, the benefit of a change does not show.
  const isShort = base !== undefined && report.target.multiple <= 1;
  return [...said, ...(isShort ? stepLines('How far it reaches', further, columns, '') : [])];
}

const MOST_EFFECTS = 2;

const BEYOND_PROBES = 'What failed is something that the probes cannot measure.';

const ADDED = 'If it was added to weights that were trained without it: ';

function drawAdvice({ place, says, next }: Advice, columns: number): string[] {
  const indent = '  ';
  return [
    `${indent}${fill(printable(`${place}: ${says}`), columns, indent)}`,
    ...next.flatMap(({ why, command }) => stepLines(why, command, columns, indent)),
  ];
}

/** Commands are not wrapped, so that they can be copied. */
function stepLines(why: string, command: string, columns: number, indent: string): string[] {
  const line = `${indent}${why}: ${printable(command)}`;
  if (textWidth(line) <= columns) return [line];
  return [`${indent}${fill(`${why}:`, columns, indent)}`, `${indent}  ${printable(command)}`];
}

/** The lines for problems on a screen of 24 lines. Wider screens show the same problems. */
const PROBLEM_LINES = 7;
const SCREEN_COLUMNS = 80;

/** Lists the rules that did not pass and the findings, errors first. */
function problemLines(input: CheckText): string[] {
  const { result, columns, candidates, paint } = input;
  const rules = result.rules.filter(({ outcome }) => outcome !== 'pass');
  const line = (rule: RuleResult): string =>
    `  ${markOf(rule, paint)}  ${fill(printable(ruleBrief(rule, candidates)), columns, UNDER_MARK)}`;
  const of = (level: 'error' | 'warn'): string[] => [
    ...findingLines(
      result.findings.filter((found) => found.level === level),
      input,
    ),
    ...rules.filter((rule) => rule.level === level).map(line),
  ];
  const all = [...of('error'), ...of('warn')];
  const heights = all.map((text) => {
    const words = text.trim().split(/\s+/).join(' ');
    // `words` lacks the indent of the line and the second space after the mark.
    return fill(words, SCREEN_COLUMNS + UNDER_MARK.length - 3, UNDER_MARK).split('\n').length;
  });
  const end = heights.map((_, i) => heights.slice(0, i + 1).reduce((sum, each) => sum + each, 0));
  if ((end.at(-1) ?? 0) <= PROBLEM_LINES) return all;
  const room = Math.max(1, end.filter((lines) => lines < PROBLEM_LINES).length);
  return [...all.slice(0, room), `  and ${all.length - room} more (${flagOf('details')})`];
}

/** Lists what passed, in one paragraph. */
function passedLines({ result, columns, paint }: CheckText): string[] {
  const passed = result.rules.filter(({ outcome }) => outcome === 'pass');
  const line = (some: typeof passed, why = ''): string[] => {
    const names = [...new Set(some.map(({ rule }) => rule))].map(printable).join(', ');
    return names === ''
      ? []
      : [`  ${paint.green('pass')}  ${fill(`${names}${why}`, columns, UNDER_MARK)}`];
  };
  return [
    ...line(passed.filter(({ reason }) => reason !== 'unchanged')),
    ...line(
      passed.filter(({ reason }) => reason === 'unchanged'),
      `: ${UNCHANGED}`,
    ),
  ];
}

/** Says what the config was judged by, and where to find the rest. */
function conditionsLine({ result, report, base, candidates }: CheckText): string {
  const by = result.policy === 'default' ? '' : `Judged by ${policyName(result)}.`;
  if (report === null) return `${WITHOUT_ROPE} ${by}`.trimEnd();
  const { kind, trainedWindow, alternative } = report.reference;
  const reading = `trained ${readingWords(kind, trainedWindow, base && printable(base))}`;
  return [
    by,
    base === undefined
      ? `Taken as ${reading}.`
      : `The reference is ${printable(base)}, ${reading}.`,
    ...(alternative === undefined || base !== undefined
      ? []
      : [`Otherwise: ${flagOf('reference')} ${alternative.kind}.`]),
    ...servingWords(report, candidates),
    subjectBrief(report),
    `${flagOf('details')}: the rest.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

const WITHOUT_ROPE =
  'No probe stands for a model without RoPE: what is unchanged or harmless passes, and every other change fails.';

/** Says where a dynamic scaling that was judged behaves differently from what was measured. */
function servingWords(report: Report, judged: readonly string[]): string[] {
  return judged.flatMap((label) => {
    const words = recomputedOnly(
      report.candidates.find((each) => each.label === label),
      report,
    );
    return words === '' ? [] : [`${printable(label)}: ${words}`];
  });
}

/** Says which model the nats of the short-loss rules belong to, and what real models lose there. */
function costWords(report: Report, { rules }: GateResult, judged: readonly string[]): string[] {
  if (!rules.some(({ metric }) => metric === 'short.lossChange')) return [];
  const ranges = report.candidates.flatMap((candidate) => {
    const range = judged.includes(candidate.label)
      ? rangeText(shortCostOnModels(report, candidate))
      : '';
    return range === '' ? [] : [`${printable(candidate.label)}: ${range}, in nats.`];
  });
  return [scaleWords(report), ...ranges].filter((words) => words !== '');
}

/** Indents text to stand beside `pass` or `FAIL`. */
const UNDER_MARK = ' '.repeat(8);

function markOf({ outcome, level }: RuleResult, paint: Paint): string {
  if (outcome === 'pass') return paint.green('pass');
  if (level === 'warn') return paint.yellow('warn');
  return paint.red(outcome === 'fail' ? 'FAIL' : '????');
}

function ruleLines(rule: RuleResult, { columns, paint }: Sheet): string {
  const subject = fill(printable(ruleSubject(rule)), columns, UNDER_MARK);
  const message = fill(ruleMessage(rule, FLAG_NAMES), columns, UNDER_MARK);
  return `  ${markOf(rule, paint)}  ${subject}\n${UNDER_MARK}${message}`;
}

function findingLines(findings: GateResult['findings'], { columns, paint }: Sheet): string[] {
  return findings.map((finding) => {
    const color = finding.level === 'error' ? paint.red : paint.yellow;
    const indent = ' '.repeat(finding.level.length + 4);
    const words = `${finding.code} ${printable(wordFinding(finding))}`;
    return `  ${color(finding.level)}  ${fill(words, columns, indent)}`;
  });
}

function baselineLines({ result: { baseline }, columns, paint }: CheckText): string[] {
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

/** Draws a comparison for people: what differs between the runs, then the largest changes. */
export function compareSections(
  comparison: Comparison,
  report: Pick<Report, 'subject'>,
): readonly Section[] {
  const { before, after, cells } = comparison;
  const moved = cells.filter((cell) => cell.change.value !== 0);
  const clear = moved.filter((cell) => cell.clear);
  const shown = clear.length > 0 ? clear : moved.slice(0, FEW);
  return [
    textSection('reports', [`before ${before}`, `after  ${after}`]),
    conditionsSection(comparison),
    { id: 'cells', blocks: [table(shown)] },
    textSection('summary', [summary(comparison, moved.length, clear.length)]),
    textSection('only', [
      only('Only before', comparison.onlyBefore),
      only('Only after', comparison.onlyAfter),
    ]),
    textSection('honesty', [honestyWords(report)]),
  ];
}

/** The number of changes to show if no interval confirms any of them. */
const FEW = 10;

function summary({ cells }: Comparison, moved: number, clear: number): string {
  if (cells.length === 0) return 'The reports have no cell in common.';
  if (moved === 0) return `All ${cells.length} cells are the same.`;
  return (
    `${clear} of ${cells.length} cells changed by more than their intervals, ` +
    `${moved - clear} within them, ${cells.length - moved} are the same (${flagOf('json')} has all). ${methodWords(cells)}`
  );
}

function conditionsSection({ differences, paired }: Comparison): Section {
  const head =
    differences.length > 0
      ? 'The runs differ, so that cells are not paired; lengths are compared as multiples of each trained window where those differ:'
      : 'Two different configs under the same conditions.';
  const items = differences.map(({ what, before, after }) => `${what}: ${before} | ${after}`);
  return {
    id: 'conditions',
    blocks: paired ? [] : [...paragraphs([head], 'warn'), { kind: 'list', items }],
  };
}

function table(cells: readonly ComparedCell[]): TableBlock {
  return plainTable(
    'Changed cells',
    ['candidate', { title: 'cell', align: 'left' }, 'before', 'after', 'change (95 % interval)'],
    cells.map((cell) => {
      const good = cell.change.value > 0 === (cell.better === 'higher');
      return [
        { text: cell.candidate, name: true },
        cell.cell,
        trim(cell.before.value, 4),
        trim(cell.after.value, 4),
        { text: intervalWords(cell.change), tone: !cell.clear ? 'soft' : good ? 'good' : 'bad' },
      ];
    }),
  );
}

function only(title: string, cells: readonly CellName[]): string {
  const candidates = [...new Set(cells.map(({ candidate }) => candidate))];
  if (candidates.length === 0) return '';
  return `${title}: ${cells.length} cells of ${candidates.join(', ')}.`;
}

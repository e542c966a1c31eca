import type { SavedFinding } from '../../findings/index.js';
import { isProbe } from '../../subjects/schema.js';
import {
  multiple,
  percent,
  printable,
  reachTokens,
  rungAt,
  shortTokens,
  signed,
  tokens,
} from '../format.js';
import type { CandidateReport, Interval, Report, Verdict } from '../schema/report.js';
import { baseName } from './conditions.js';
import { findingLines } from './findings.js';
import { type Block, type Cell, type Column, plainTable, type Section } from './section.js';
import { NOT_MEASURED, verdictCell } from './summary.js';
import { nextBlocks, verdictBlocks } from './verdict.js';

/**
 * The answer on one screen of a terminal: the model, the verdict, the table that supports it,
 * findings that change the advice, the next command and the conditions. Where nothing has to be
 * done, the table is left out.
 */
export function answerSections(report: Report): readonly Section[] {
  const table = report.recommendation.code === 'keep' ? [] : candidatesRows(report);
  const marks = table.some((row) => row.some(({ text }) => text.includes(LEVEL)));
  return [
    section('model', [{ kind: 'text', text: modelLine(report) }, ...verdictBlocks(report)]),
    section('candidates', table.length > 0 ? [candidatesTable(report, table)] : []),
    section('advice', [...findingBlocks(report), ...nextBlocks(report), conditions(report, marks)]),
  ];
}

function section(id: string, blocks: readonly Block[]): Section {
  return { id, depth: 2, blocks };
}

function modelLine(report: Report): string {
  const { config, reference, target } = report;
  const model = printable(config.architecture ?? config.modelType);
  const to =
    target.multiple === 1 ? '' : `, to ${tokens(target.tokens)} (${multiple(target.multiple)})`;
  const by = baseName(report);
  const said = by === undefined ? '' : ` by ${by}`;
  return `${model}: trained on ${tokens(reference.trainedWindow)} tokens${said}${to}`;
}

/** Marks what cannot be told from the recommended candidate. */
const LEVEL = '≈';

type Row = readonly Cell[];

function candidatesTable({ target }: Report, rows: readonly Row[]): Block {
  const columns: readonly Column[] = [
    { title: 'candidate', align: 'left' },
    { title: 'reach', align: 'right' },
    { title: 'short, nats', align: 'right' },
    { title: `needle at ${shortTokens(target.tokens)}`, align: 'right' },
    { title: 'verdict', align: 'left', spare: 1 },
  ];
  return plainTable('Candidates', columns, rows);
}

function candidatesRows({ target, recommendation, candidates }: Report): readonly Row[] {
  const best = candidates.find(({ label }) => label === recommendation.candidate);
  return inOrder(candidates, best).map((candidate): Row => {
    const isBest = candidate === best;
    const isTied = recommendation.tied.includes(candidate.label);
    const mark = isBest ? '> ' : isTied ? `${LEVEL} ` : '  ';
    const rung = rungAt(candidate, target.tokens);
    const { reach, short, role, verdict } = candidate;
    return [
      { text: `${mark}${labelOf(candidate)}`, ...(isBest ? { tone: 'strong' } : {}) },
      reach ? { text: reachTokens(reach) } : NOT_MEASURED,
      role === 'reference'
        ? { text: '0  ' }
        : compared(short?.lossChange, best?.short?.lossChange, (v) => signed(v, 3), isBest),
      compared(rung?.accuracy, accuracyOf(best, target.tokens), percent, isBest),
      verdictCell(verdict),
    ];
  });
}

const LABEL_WIDTH = 15;

/** A JSON object as a label can be of any length; the details have it whole. */
function labelOf({ label }: CandidateReport): string {
  const text = printable(label);
  return text.length > LABEL_WIDTH ? `${text.slice(0, LABEL_WIDTH - 1)}…` : text;
}

function accuracyOf(candidate: CandidateReport | undefined, length: number): Interval | undefined {
  return candidate && rungAt(candidate, length)?.accuracy;
}

/** A value, marked where the recommended candidate's is within chance of it. */
function compared(
  own: Interval | undefined,
  best: Interval | undefined,
  write: (value: number) => string,
  isBest: boolean,
): Cell {
  if (!own) return { text: `${NOT_MEASURED.text}  ` };
  const level = !isBest && best !== undefined && own.low <= best.high && own.high >= best.low;
  return { text: `${write(own.value)}${level ? ` ${LEVEL}` : '  '}` };
}

const ORDER: Readonly<Record<Verdict, number>> = Object.freeze({
  reaches: 1,
  'reaches-at-a-cost': 1,
  unclear: 2,
  'falls-short': 3,
  'fails-short': 4,
  'not-needed': 5,
  reference: 6,
});

/** The recommended first, then by verdict, reach and score; the reference last. */
function inOrder(
  candidates: readonly CandidateReport[],
  best: CandidateReport | undefined,
): readonly CandidateReport[] {
  const rank = (candidate: CandidateReport): readonly number[] => [
    candidate === best ? 0 : ORDER[candidate.verdict],
    -(candidate.reach?.multiple ?? 0),
    candidate.score ?? Infinity,
  ];
  return [...candidates].sort((a, b) => {
    const [one, other] = [rank(a), rank(b)];
    const at = one.findIndex((value, i) => value !== other[i]);
    return at < 0 ? 0 : one[at]! - other[at]!;
  });
}

/** Findings that a screen has room for. */
const FINDINGS = 2;

function findingBlocks(report: Report): readonly Block[] {
  const lines = findingLines(report.findings.filter((found) => changesAdvice(found, report)));
  // The same of another layer type says little more.
  const distinct = lines.filter(({ code }, i) => lines.findIndex((l) => l.code === code) === i);
  const [first] = distinct;
  // Beside something wrong, a notice can wait for the details.
  const shown = distinct.filter(({ mark }) => mark === first?.mark).slice(0, FINDINGS);
  return [{ kind: 'marks', lines: shown }];
}

/** Of a dynamic scaling in a server: the verdict says it already. */
const SAID = 'RE052';

/** Whatever is wrong with the config, and what is said of the recommended candidate. */
function changesAdvice(
  { code, severity, args }: SavedFinding,
  { recommendation }: Report,
): boolean {
  const { candidate } = args;
  if (candidate === undefined) return severity !== 'notice';
  return code !== SAID && [candidate].flat().some((name) => name === recommendation.candidate);
}

/**
 * How it was measured, and where the rest is.
 *
 * @param marks the table has marks to explain
 */
function conditions(report: Report, marks: boolean): Block {
  const { subject, settings, candidates, findings, recommendation } = report;
  const best = printable(recommendation.candidate ?? '');
  const legend = marks ? `${LEVEL} within chance of ${best}. ` : '';
  const who = isProbe(subject)
    ? `Probe ${subject.name} ranks geometry, not your checkpoint’s accuracy`
    : `Measured on ${printable(subject.name)} itself, on ${tokens(subject.textTokens)} tokens of text`;
  const long = [settings.contexts.long, ...candidates.flatMap((c) => c.longContexts ?? [])];
  const [fewest, most] = [Math.min(...long), Math.max(...long)];
  const contexts = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
  const count = findingLines(findings).length;
  const more = count === 0 ? 'all figures' : `${count} ${count === 1 ? 'finding' : 'findings'}`;
  return {
    kind: 'text',
    tone: 'soft',
    text:
      `${legend}${who}; ${settings.preset}, ${contexts} contexts, seed ${settings.seed}. ` +
      `--details: ${more}.`,
  };
}

import { findingName, type SavedFinding } from '../../findings/index.js';
import { kindOfSubject } from '../../subjects/schema.js';
import {
  counted,
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
import { findingLines, mostSerious } from './findings.js';
import { type Block, type TableCell, type Column, plainTable, type Section } from './section.js';
import {
  type DistinctRow,
  distinctRows,
  NOT_MEASURED,
  recommended,
  verdictCell,
} from './summary.js';
import { nextBlocks, verdictBlocks } from './verdict.js';

/**
 * Presents the answer on one screen of a terminal: the model, the verdict, the table behind it,
 * findings that change the advice, the next command and the conditions. The table is left out if
 * the config can stay as it is.
 */
export function answerSections(report: Report): readonly Section[] {
  const table = report.recommendation.code === 'keep' ? [] : candidatesRows(report);
  const isMarked = table.some((row) => row.some(({ text }) => text.includes(LEVEL)));
  const legend = isMarked ? `${LEVEL} within chance. ` : '';
  return [
    section('model', [{ kind: 'text', text: modelLine(report) }, ...verdictBlocks(report)]),
    section('candidates', table.length > 0 ? [candidatesTable(report, table)] : []),
    section('advice', [findingsBlock(report), ...nextBlocks(report), conditions(report, legend)]),
  ];
}

function section(id: string, blocks: readonly Block[]): Section {
  return { id, blocks };
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

/** Marks values that are statistically indistinguishable from the recommended candidate's. */
const LEVEL = '≈';

type Row = readonly TableCell[];

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

function candidatesRows(report: Report): readonly Row[] {
  const { target, recommendation } = report;
  const best = recommended(report);
  return inOrder(distinctRows(report), best).map(({ candidate, same }): Row => {
    const isBest = candidate === best;
    const rival = isBest ? undefined : best;
    const isTied = recommendation.tied.includes(candidate.label);
    const mark = isBest ? '> ' : isTied ? `${LEVEL} ` : '  ';
    const rung = rungAt(candidate, target.tokens);
    const { reach, short, role, verdict } = candidate;
    return [
      {
        text: `${mark}${shortLabel(candidate.label)}`,
        ...(same.length > 0 && {
          detail: same.map((each) => `  = ${shortLabel(each)}`).join('\n'),
        }),
        ...(isBest && { tone: 'strong' }),
      },
      reach ? { text: reachTokens(reach) } : NOT_MEASURED,
      role === 'reference'
        ? { text: '0  ' }
        : compared(short?.lossChange, rival?.short?.lossChange, (v) => signed(v, 3)),
      compared(rung?.accuracy, rival && rungAt(rival, target.tokens)?.accuracy, percent),
      verdictCell(verdict),
    ];
  });
}

const LABEL_WIDTH = 15;

/** Shortens a label, because a JSON object can be of any length. The details show all of it. */
function shortLabel(label: string): string {
  const text = printable(label);
  return text.length > LABEL_WIDTH ? `${text.slice(0, LABEL_WIDTH - 1)}…` : text;
}

/** Formats a value, with a mark if it is within chance of the recommended candidate's. */
function compared(
  own: Interval | undefined,
  best: Interval | undefined,
  write: (value: number) => string,
): TableCell {
  if (!own) return { text: `${NOT_MEASURED.text}  ` };
  const level = best !== undefined && own.low <= best.high && own.high >= best.low;
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

/** Sorts the recommended candidate first, then by verdict, reach and score; the reference last. */
function inOrder(
  rows: readonly DistinctRow[],
  best: CandidateReport | undefined,
): readonly DistinctRow[] {
  const rank = ({ candidate }: DistinctRow): readonly number[] => [
    candidate === best ? 0 : ORDER[candidate.verdict],
    -(candidate.reach?.multiple ?? 0),
    candidate.score ?? Infinity,
  ];
  return [...rows].sort((a, b) => {
    const [one, other] = [rank(a), rank(b)];
    const at = one.findIndex((value, i) => value !== other[i]);
    return at < 0 ? 0 : one[at]! - other[at]!;
  });
}

function findingsBlock(report: Report): Block {
  const lines = findingLines(report.findings.filter((found) => changesAdvice(found, report)));
  // Repeating a finding for another layer type adds little.
  return mostSerious(
    lines.filter(({ code }, i) => lines.findIndex((each) => each.code === code) === i),
  );
}

/**
 * Whether a finding changes the advice: anything wrong with the config, and anything about the
 * recommended candidate that the verdict and the next command do not say.
 */
function changesAdvice(found: SavedFinding, { recommendation }: Report): boolean {
  const { candidate, candidates = candidate } = found.args;
  if (candidates === undefined) return found.severity !== 'notice';
  // The next command says it, unless that asks for more contexts.
  const name = findingName(found);
  const isSaid =
    name === 'dynamic_forms_differ' ||
    (name === 'candidate_not_written' && recommendation.code !== 'unclear');
  return !isSaid && [candidates].flat().some((each) => each === recommendation.candidate);
}

/** Says how the candidates were measured and where to find the rest. */
function conditions(report: Report, legend: string): Block {
  const { subject, settings, candidates, findings } = report;
  const who = printable(kindOfSubject(subject).who(subject));
  const long = [settings.contexts.long, ...candidates.flatMap((c) => c.longContexts ?? [])];
  const [fewest, most] = [Math.min(...long), Math.max(...long)];
  const contexts = (fewest === most ? '' : `${fewest} to `) + counted(most, 'context');
  const count = findingLines(findings).length;
  const more = count === 0 ? 'all figures' : counted(count, 'finding');
  return {
    kind: 'text',
    tone: 'soft',
    text:
      `${legend}${who}; ${settings.preset}, ${contexts}, seed ${settings.seed}. ` +
      `--details: ${more}.`,
  };
}

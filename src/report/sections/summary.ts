import { sameValue } from '../../json/parse.js';
import { kindOfSubject } from '../../subjects/schema.js';
import {
  ends,
  nats,
  percent,
  printable,
  reachEnds,
  reachTokens,
  rungAt,
  shortTokens,
  signed,
  summaryLengths,
  tokens,
} from '../format.js';
import { scaleWords } from '../real-models.js';
import type { CandidateReport, Report, Short, Verdict } from '../schema/report.js';
import { subjectWords } from './conditions.js';
import {
  type TableCell,
  type Column,
  natsCell,
  numberColumn,
  paragraphs,
  pointsCell,
  type Section,
  type TableBlock,
  type Tone,
} from './section.js';

const VERDICTS: Readonly<Record<Verdict, readonly [words: string, tone: Tone]>> = Object.freeze({
  reference: ['reference', 'soft'],
  reaches: ['reaches the target', 'good'],
  'reaches-at-a-cost': ['reaches it, at a cost', 'warn'],
  'falls-short': ['falls short', 'bad'],
  'fails-short': ['fails in the window', 'bad'],
  unclear: ['unclear', 'warn'],
  'not-needed': ['not needed', 'soft'],
});

export function verdictWords(verdict: Verdict): string {
  return VERDICTS[verdict][0];
}

export function verdictCell(verdict: Verdict): TableCell {
  const [text, tone] = VERDICTS[verdict];
  return { text, tone };
}

export function summarySection(report: Report): Section {
  return {
    id: 'summary',
    title: kindOfSubject(report.subject).title,
    blocks: [
      summaryTable(report),
      ...paragraphs(
        [
          ...localWords(report),
          subjectWords(report),
          'Short context: change against the reference at 0.5x and 1x of the trained window. ' +
            `Needle: facts found. Guessing scores ${percent(report.chance)}. Reach: the largest length at which every ` +
            `distance keeps half of the accuracy at 1x. ${intervalWords(report)}`,
          scaleWords(report),
          scoreWords(report),
        ],
        'soft',
      ),
    ],
  };
}

/** The cell for a value that was not measured. */
export const NOT_MEASURED: TableCell = Object.freeze({ text: '–' });

/** Says what the small figures are. One context shows nothing of how contexts differ. */
function intervalWords({ settings: { contexts } }: Report): string {
  const { short, shortText, long, longText } = contexts;
  const single = [short, shortText, long, longText].includes(1);
  return `The small figures are 95 % intervals${single ? '; changes that rest on one context have none' : ''}.`;
}

/** A row of a table: a candidate, and the labels of others that are the same scaling. */
export interface DistinctRow {
  readonly candidate: CandidateReport;
  readonly same: readonly string[];
}

export function recommended({ candidates, recommendation }: Report): CandidateReport | undefined {
  return candidates.find(({ label }) => label === recommendation.candidate);
}

/** Joins candidates that are one scaling into a row of the recommended one, or else of the first. */
export function distinctRows(report: Report): readonly DistinctRow[] {
  const best = recommended(report);
  const groups: CandidateReport[][] = [];
  for (const candidate of report.candidates) {
    const group = groups.find(([first]) => first && isSameScaling(first, candidate));
    if (group) group.push(candidate);
    else groups.push([candidate]);
  }
  return groups.map((group) => {
    const candidate = group.find((each) => each === best) ?? group[0]!;
    return {
      candidate,
      same: group.flatMap(({ label }) => (label === candidate.label ? [] : [label])),
    };
  });
}

/** Whether two candidates were measured and differ in nothing but their names. */
export function isSameScaling(a: CandidateReport, b: CandidateReport): boolean {
  const unnamed = (row: CandidateReport) => ({ ...row, label: undefined, argument: undefined });
  return a.needle.length > 0 && sameValue(unnamed(a), unnamed(b));
}

/** Makes the table of all candidates, with the recommended one marked. */
export function summaryTable(report: Report): TableBlock {
  const { target, recommendation } = report;
  const columns = columnsOf(report);
  return {
    kind: 'table',
    name: `Candidates to ${tokens(target.tokens)} tokens`,
    columns: columns.map(([column]) => column),
    rows: distinctRows(report).map((row) => ({
      cells: columns.map(([, cell]) => cell(row.candidate, row)),
      marked: row.candidate.label === recommendation.candidate,
    })),
  };
}

type DrawnColumn = readonly [Column, (candidate: CandidateReport, row: DistinctRow) => TableCell];

function columnsOf(report: Report): readonly DrawnColumn[] {
  const { target } = report;
  const at = shortTokens(target.tokens);
  return [
    [
      { title: 'Candidate', narrow: ['', 'candidate'], align: 'left' },
      ({ label }, { same }) => ({ text: [label, ...same].join(' = '), name: true }),
    ],
    [
      numberColumn('Short-context accuracy', ['short context', 'accuracy']),
      (candidate) => shortCell(candidate, ({ accuracyChange }) => pointsCell(accuracyChange)),
    ],
    [
      numberColumn('Short-context loss, nats', ['short context', 'loss, nats']),
      (candidate) => shortCell(candidate, ({ lossChange }) => natsCell(lossChange)),
    ],
    ...summaryLengths(report).map((length) => needleColumn(length, report)),
    [
      numberColumn('Reach, tokens', ['reach', 'tokens']),
      ({ reach }) =>
        reach ? { text: reachTokens(reach), detail: reachEnds(reach) } : NOT_MEASURED,
    ],
    [
      numberColumn(`Loss at ${at}, nats`, ['loss at', at], { spare: 1, roomy: true }),
      (candidate) => {
        const rung = rungAt(candidate, target.tokens);
        return rung
          ? { text: signed(rung.lossChange.value, 2), detail: ends(rung.lossChange, 2) }
          : NOT_MEASURED;
      },
    ],
    [
      { title: 'Verdict', narrow: ['', 'verdict'], align: 'left', wrap: 12 },
      ({ verdict }) => verdictCell(verdict),
    ],
  ];
}

function needleColumn(length: number, { target, reference }: Report): DrawnColumn {
  const at = shortTokens(length);
  // The accuracy inside the window is close to that of the short contexts.
  const spare = length <= reference.trainedWindow ? 2 : 3;
  return [
    numberColumn(`Needle at ${at}`, ['needle', at], {
      roomy: true,
      ...(length < target.tokens ? { spare } : {}),
    }),
    (candidate) => {
      const rung = rungAt(candidate, length);
      if (!rung) return NOT_MEASURED;
      const { value, low, high } = rung.accuracy;
      return {
        text: percent(value),
        detail: `${Math.round(low * 100)} … ${Math.round(high * 100)}`,
      };
    },
  ];
}

function shortCell({ role, short }: CandidateReport, draw: (short: Short) => TableCell): TableCell {
  if (role === 'reference') return { text: '0' };
  return short ? draw(short) : NOT_MEASURED;
}

/** Says what a scaling costs the local layers that it reaches, which never see longer distances. */
export function localWords(report: Report): readonly string[] {
  return report.candidates.flatMap(({ label, local }) =>
    local.map(({ layerType, window, short }) => {
      const loss = `${nats(short.lossChange.value)} nats (${ends(short.lossChange, 3)})`;
      return (
        `${printable(label)} also changes the ${printable(layerType)} layers, which look back ` +
        `${tokens(window)} tokens and gain nothing by it: ${loss} there.`
      );
    }),
  );
}

/** Ranks the candidates that have a score, best first. */
export function ranked(
  candidates: readonly CandidateReport[],
): readonly { readonly label: string; readonly score: number; readonly outOfRange: number }[] {
  return candidates
    .flatMap(({ label, score, scoreParts }) =>
      score === null ? [] : [{ label, score, outOfRange: scoreParts?.outOfRange ?? 0 }],
    )
    .sort((a, b) => a.score - b.score);
}

/** Smaller numbers of nats round to zero with three decimals. */
const SHOWN = 0.0005;

/** Lists the scores that rank the candidates, best first; '' if there are none. */
export function scoreWords({ candidates }: Report): string {
  const scored = ranked(candidates);
  if (scored.length === 0) return '';
  const listed = scored.map(({ label, score, outOfRange }) => {
    const part = outOfRange < SHOWN ? '' : ` (${outOfRange.toFixed(3)} of it out of range)`;
    return `${printable(label)} ${nats(score)}${part}`;
  });
  return `Score, the mean loss over the lengths from 1x to the target plus what leaves the trained range (lower is better): ${listed.join(', ')}.`;
}

import type { ChalkInstance } from 'chalk';
import * as format from '../format.js';
import type { CandidateReport, Report, Verdict } from '../schema.js';
import { rungAt, summaryLengths } from '../view.js';
import { verdictWords } from '../wording.js';
import { bareTable, type Align } from './bare-table.js';
import { wrapLabel } from './label.js';
import { widestLine } from './widest-line.js';

/** One column of the summary. */
interface Column {
  readonly head: string;
  /** Written above the first of the columns that share it. */
  readonly group?: string;
  readonly align: Align;
  /** Where the terminal is too narrow, 1 goes first; columns without a number stay. */
  readonly dropped?: number;
  /** A value, and its 95 % interval for the line below. */
  readonly cell: (candidate: CandidateReport) => readonly [string, string?];
}

export interface SummaryTable {
  readonly text: string;
  /** false: columns were left out for want of width. */
  readonly complete: boolean;
}

/** Spaces between columns: three would push the last one over the edge. */
const GAP = 2;
const NOT_MEASURED = '–';

export function summaryTable(report: Report, columns: number, paint: ChalkInstance): SummaryTable {
  const all = columnsOf(report, paint);
  const droppable = all.filter(({ dropped }) => dropped !== undefined);
  droppable.sort((a, b) => (b.dropped ?? 0) - (a.dropped ?? 0));
  let shown = all;
  let text = draw(report, shown, paint);
  while (droppable.length > 0 && widestLine(text) > columns) {
    const next = droppable.pop();
    shown = shown.filter((column) => column !== next);
    text = draw(report, shown, paint);
  }
  return { text, complete: shown.length === all.length };
}

function draw(report: Report, shown: readonly Column[], paint: ChalkInstance): string {
  const rows = report.candidates.map((candidate) =>
    shown.map(({ cell }) => {
      const [value, interval] = cell(candidate);
      return interval === undefined ? value : `${value}\n${paint.dim(interval)}`;
    }),
  );
  const head = heads(shown).map((text) => paint.bold(text));
  const aligns = shown.map(({ align }) => align);
  return bareTable(head, rows, GAP, aligns);
}

function heads(shown: readonly Column[]): readonly string[] {
  return shown.map(({ group = '', head }, i) => {
    const repeated = group === shown[i - 1]?.group;
    return `${repeated ? '' : group}\n${head}`;
  });
}

function columnsOf(report: Report, paint: ChalkInstance): readonly Column[] {
  const { target, reference } = report;
  return [
    { head: 'candidate', align: 'left', cell: ({ label }) => [wrapLabel(label)] },
    { group: 'short context', head: 'accuracy', align: 'right', cell: accuracyCell },
    { group: 'short context', head: 'loss, nats', align: 'right', cell: lossCell },
    ...summaryLengths(report).map((length): Column => {
      // The accuracy inside the window is nearly that of the short context.
      const dropped = length <= reference.trainedWindow ? 2 : 3;
      return {
        group: 'needle',
        head: format.shortTokens(length),
        align: 'right',
        ...(length < target.tokens ? { dropped } : {}),
        cell: (candidate) => {
          const rung = rungAt(candidate, length);
          return [rung ? format.percent(rung.accuracy.value) : NOT_MEASURED];
        },
      };
    }),
    { group: 'reach', head: 'tokens', align: 'right', cell: reachCell },
    {
      group: 'loss at',
      head: format.shortTokens(target.tokens),
      align: 'right',
      dropped: 1,
      cell: (candidate) => {
        const rung = rungAt(candidate, target.tokens);
        return [rung ? format.signed(rung.lossChange.value, 2) : NOT_MEASURED];
      },
    },
    { head: 'verdict', align: 'left', cell: ({ verdict }) => [verdictCell(verdict, paint)] },
  ];
}

function accuracyCell({ role, short }: CandidateReport): readonly [string, string?] {
  if (role === 'reference') return ['0'];
  if (!short) return [NOT_MEASURED];
  const { accuracyChange } = short;
  return [format.points(accuracyChange.value), format.ends(accuracyChange, 1, 100)];
}

function lossCell({ role, short }: CandidateReport): readonly [string, string?] {
  if (role === 'reference') return ['0'];
  if (!short) return [NOT_MEASURED];
  return [format.nats(short.lossChange.value), format.ends(short.lossChange, 3)];
}

function reachCell({ reach }: CandidateReport): readonly [string, string?] {
  return reach ? [format.reachTokens(reach), format.reachEnds(reach)] : [NOT_MEASURED];
}

const COLORS: Readonly<Record<Verdict, 'dim' | 'green' | 'yellow' | 'red'>> = Object.freeze({
  reference: 'dim',
  reaches: 'green',
  'reaches-at-a-cost': 'yellow',
  'falls-short': 'red',
  'fails-short': 'red',
  unclear: 'yellow',
  'not-needed': 'dim',
});

/** In two lines where it is long, so that the last column stays narrow. */
function verdictCell(verdict: Verdict, paint: ChalkInstance): string {
  const words = verdictWords(verdict).replace(/ (the target|at a cost|in the window)$/, '\n$1');
  return paint[COLORS[verdict]](words);
}

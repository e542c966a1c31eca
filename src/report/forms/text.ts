import * as format from '../format.js';
import { multiple, percent, printable, shortTokens, tokens } from '../format.js';
import type { CandidateReport, Interval, Report, Verdict } from '../schema/report.js';
import {
  partEnds,
  PARTS_COLUMNS,
  partsNote,
  partsRows,
  partsTitle,
  partValue,
} from '../sections/causes.js';
import { exactLines } from '../sections/exact.js';
import { findingLines } from '../sections/findings.js';
import {
  neighbourRows,
  NEIGHBOURS_HEAD,
  NEIGHBOURS_TITLE,
  neighboursNote,
} from '../sections/neighbours.js';
import { recommendationWords, scoreWords } from '../sections/recommendation.js';
import { offsetWords, type ServingTable, servingTables } from '../sections/serving.js';
import * as words from '../sections/wording.js';
import { verdictWords } from '../sections/wording.js';
import { type Align, bareTable, fill, widestLine } from '../terminal.js';
import { featured, heatmapOf, rungAt, summaryLengths } from '../view.js';
import type { Reporter, ReporterContext } from './form.js';
import { type Paint, paint as paintFor } from '../paint.js';

/** Longer labels are wrapped: `as-configured` fits. */
const LABEL_WIDTH = 13;
const LABEL_LINES = 4;

/** A candidate's name as a cell of a narrow column. */
export function wrapLabel(label: string): string {
  const text = printable(label);
  const lines = text.match(new RegExp(`.{1,${LABEL_WIDTH}}`, 'gu')) ?? [text];
  // A JSON object can be of any length; every file form prints it whole.
  if (lines.length <= LABEL_LINES) return lines.join('\n');
  return [...lines.slice(0, LABEL_LINES - 1), '…'].join('\n');
}

const BARS = '▁▂▃▄▅▆▇█';
const ROW_LABEL = 9;

/**
 * Accuracy by length and distance as bars with numbers: readable without colour and by ear.
 */
export function textHeatmap(
  candidate: CandidateReport,
  columns: number,
  paint: Paint,
): readonly string[] {
  const heatmap = heatmapOf(candidate);
  if (heatmap === undefined) return [];
  // A bar, a number and a space where they fit, otherwise the number alone.
  const roomy = ROW_LABEL + heatmap.bins.length * 6 <= columns;
  const width = roomy ? 6 : 4;
  const rows = heatmap.rows.map(({ rung, cells }) => {
    const label = shortTokens(rung.tokens).padStart(ROW_LABEL - 1);
    return `${label} ${cells.map((cell) => drawCell(cell, roomy, width, paint)).join('')}`.trimEnd();
  });
  const span = heatmap.bins.length * width;
  const axis = 'near'.padEnd(Math.max(5, span - 7)) + 'far';
  return [...rows, `${' '.repeat(ROW_LABEL)}  ${axis.trimEnd()}`];
}

function drawCell(share: number | null, roomy: boolean, width: number, paint: Paint): string {
  if (share === null) return '–'.padStart(width - 1).padEnd(width);
  const number = percent(share).replace(' %', '').padStart(3);
  const bar = BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))] ?? '';
  const color = share >= 0.75 ? paint.green : share >= 0.5 ? paint.yellow : paint.red;
  return `${color(roomy ? `${bar}${number}` : number)}${' '.repeat(width - (roomy ? 4 : 3))}`;
}

/** The range over the neighbouring probe models; '' where they were not run. */
export function neighboursText(report: Report, columns: number, paint: Paint): string {
  const rows = neighbourRows(report);
  if (rows.length === 0) return '';
  const table = bareTable(
    NEIGHBOURS_HEAD.map((head) => paint.bold(head)),
    rows.map(([label, ...cells]) => [wrapLabel(label!), ...cells]),
    2,
    ['left', 'right', 'right', 'right', 'left'],
  );
  const note = paint.dim(fill(neighboursNote(report), columns, ''));
  return [paint.bold(NEIGHBOURS_TITLE), table, note].join('\n');
}

/** RoPE against dilution, a line a candidate; '' where it was not measured. */
export function partsTable(report: Report, columns: number, paint: Paint): string {
  const rows = partsRows(report);
  if (rows.length === 0) return '';
  const draw = (cell: (interval: Interval) => string): string =>
    bareTable(
      ['candidate', ...PARTS_COLUMNS.map(([, head]) => head)].map((head) => paint.bold(head)),
      rows.map(({ candidate, parts }) => [
        wrapLabel(candidate.label),
        ...PARTS_COLUMNS.map(([key]) => cell(parts[key])),
      ]),
      2,
    );
  const whole = draw((found) => `${partValue(found)} ${paint.dim(`(${partEnds(found)})`)}`);
  return widestLine(whole) <= columns ? whole : draw(partValue);
}

/** Forms of dynamic scalings, the switch of longrope, the offset; '' where none was measured. */
export function servingText(report: Report, columns: number, paint: Paint): string {
  const blocks = servingTables(report).map((table) => {
    const lines = [paint.bold(table.title), drawServing(table, columns, paint)];
    return [...lines, ...(table.note === '' ? [] : [servingNote(table.note, columns, paint)])].join(
      '\n',
    );
  });
  const offset = offsetWords(report);
  if (offset !== '') blocks.push(servingNote(offset, columns, paint));
  return blocks.join('\n\n');
}

function servingNote(text: string, columns: number, paint: Paint): string {
  return paint.dim(fill(text, columns, ''));
}

/** Where it is too wide, first the intervals go, then the lengths below the target. */
function drawServing(table: ServingTable, columns: number, paint: Paint): string {
  const text = (intervals: boolean, left: readonly number[]): string => {
    const kept = <T>(row: readonly T[]): T[] => row.filter((_, i) => !left.includes(i));
    return bareTable(
      kept(table.head).map((head) => paint.bold(head)),
      table.rows.map((row) =>
        kept(row).map(([value, interval]) =>
          intervals && interval !== undefined ? `${value}\n${paint.dim(interval)}` : value,
        ),
      ),
      2,
    );
  };
  const whole = text(true, []);
  if (widestLine(whole) <= columns) return whole;
  const bare = text(false, []);
  return widestLine(bare) <= columns ? bare : text(false, table.spare);
}

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

export function summaryTable(report: Report, columns: number, paint: Paint): SummaryTable {
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

function draw(report: Report, shown: readonly Column[], paint: Paint): string {
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

function columnsOf(report: Report, paint: Paint): readonly Column[] {
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
function verdictCell(verdict: Verdict, paint: Paint): string {
  const words = verdictWords(verdict).replace(/ (the target|at a cost|in the window)$/, '\n$1');
  return paint[COLORS[verdict]](words);
}

/** The report for a person at a terminal. */
export const text: Reporter = (report, context) => {
  const paint = paintFor(context.color);
  const blocks = [
    title(report, paint),
    findings(report, context, paint),
    probed(report, context, paint),
    neighboursText(report, context.columns, paint),
    parts(report, context, paint),
    servingText(report, context.columns, paint),
    heatmap(report, context, paint),
    section('Exact: from the config alone', exactLines(report), context, paint),
    recommendation(report, context, paint),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
};

function title(report: Report, paint: Paint): string {
  const { config, target, reference } = report;
  const model = printable(config.architecture ?? config.modelType);
  const lines = [
    `${paint.bold(model)}  ${printable(config.source)}`,
    `${tokens(reference.trainedWindow)} tokens trained, ${tokens(target.tokens)} wanted ` +
      `(${multiple(target.multiple)})`,
  ];
  const status = words.statusWords(report.status);
  return [...lines, ...(status === '' ? [] : [paint.yellow(status)])].join('\n');
}

function findings(report: Report, { columns }: ReporterContext, paint: Paint): string {
  const colors = { error: paint.red, warning: paint.yellow, notice: paint.cyan };
  return findingLines(report.findings)
    .map(({ severity, code, message }) => {
      const body = fill(`${severity} ${code} ${message}`, columns, '  ');
      return body.replace(severity, colors[severity](severity));
    })
    .join('\n');
}

function probed(report: Report, context: ReporterContext, paint: Paint): string {
  const table = summaryTable(report, context.columns, paint);
  const notes = [
    ...words.localWords(report),
    words.probeModelWords(report),
    `Short context: change against the reference at 0.5x and 1x. Needle: facts found. ` +
      `${words.chanceWords(report)} Reach: the largest length at which every distance keeps half ` +
      `of the accuracy at 1x. Below a value: its 95 % interval.`,
    scoreWords(report),
    ...(table.complete ? [] : ['Some columns need a wider terminal; --json has everything.']),
    words.settingsUsedWords(report),
  ];
  return [
    paint.bold('Probed: on the bundled probe model'),
    '',
    table.text,
    '',
    ...notes
      .filter((note) => note !== '')
      .map((note) => paint.dim(fill(note, context.columns, ''))),
  ].join('\n');
}

function parts(report: Report, { columns }: ReporterContext, paint: Paint): string {
  const table = partsTable(report, columns, paint);
  if (table === '') return '';
  const note = paint.dim(fill(partsNote(report), columns, ''));
  return [paint.bold(partsTitle(report)), table, note].join('\n');
}

function heatmap(report: Report, context: ReporterContext, paint: Paint): string {
  const candidate = context.plots ? featured(report) : undefined;
  const lines = candidate ? textHeatmap(candidate, context.columns, paint) : [];
  if (candidate === undefined || lines.length === 0) return '';
  const name = printable(candidate.label);
  return [paint.bold(`Facts found, %, by length and distance: ${name}`), ...lines].join('\n');
}

function recommendation(report: Report, context: ReporterContext, paint: Paint): string {
  const lines = [
    recommendationWords(report),
    ...words.settingsWords(report),
    ...words.referenceWords(report),
    words.HONESTY,
  ];
  return section('Recommendation', lines, context, paint);
}

function section(
  heading: string,
  lines: readonly string[],
  { columns }: ReporterContext,
  paint: Paint,
): string {
  if (lines.length === 0) return '';
  return [paint.bold(heading), ...lines.map((line) => fill(line, columns, ''))].join('\n');
}

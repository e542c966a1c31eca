import { createRequire } from 'node:module';
import type CliTable from 'cli-table3';
import type { TableConstructorOptions } from 'cli-table3';
import { type Paint, paint as paintFor, percent, printable, shortTokens } from './format.js';
import type { PlotRole, PlotStyle } from './plots.js';
import {
  type Block,
  type TableCell,
  type Column,
  type HeatmapBlock,
  type Section,
  sectionsToDraw,
  type TableBlock,
  type Tone,
} from './sections/section.js';

export interface TextContext {
  /** ANSI colours, only for terminals. */
  readonly color: boolean;
  /** Width in characters, for forms that have one. */
  readonly columns: number;
  /** Include heatmaps and charts. */
  readonly plots: boolean;
}

/** Decides how to draw a document on a stream. */
export function contextOf(
  { isLively, columns }: { readonly isLively: boolean; readonly columns: number },
  plots = true,
): TextContext {
  return { color: isLively, columns, plots };
}

/** Draws any document for a terminal. */
export function textOf(sections: readonly Section[], context: TextContext): string {
  const paint = paintFor(context.color);
  const pen: Pen = { paint, columns: context.columns };
  const blocks = sectionsToDraw(sections, context.plots, CANNOT).map((section) => {
    const title = section.title === undefined ? [] : [paint.bold(filled(section.title, pen))];
    return [...title, ...section.blocks.flatMap((block) => drawn(block, pen))].join('\n');
  });
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** Pictures that need more than characters. */
const CANNOT = ['intervals', 'turns'] as const;

interface Pen extends Pick<TextContext, 'columns'> {
  readonly paint: Paint;
}

function filled(text: string, { columns }: Pen, indent = ''): string {
  return fill(printable(text), columns, indent);
}

/** Draws a block as lines; empty if a terminal cannot show it. */
function drawn(block: Block, pen: Pen): readonly string[] {
  const { paint, columns } = pen;
  switch (block.kind) {
    case 'text':
      return [toned(paint, block.tone)(filled(block.text, pen))];
    case 'list':
      return block.items.map((item) => filled(item, pen));
    case 'marks':
      return block.lines.flatMap(({ mark, tone, code, text, more }) => {
        const line = [mark, code, text].filter((part) => part !== undefined).join(' ');
        const body = filled(line, pen, '  ').replace(mark, toned(paint, tone)(mark));
        return more === undefined ? [body] : [body, `  ${filled(more, pen, '  ')}`];
      });
    case 'code':
      return drawCode(block.lead, block.text.split('\n').map(printable), columns);
    case 'table':
      return [drawTable(block, pen)];
    case 'heatmap':
      return block.featured ? drawHeatmap(block, pen) : [];
    case 'plot':
      return block.draw(columns, plotStyle(paint));
    case 'intervals':
    case 'turns':
      return [];
  }
}

/** Draws code unwrapped, so that it can be copied. A narrow terminal wraps it by itself. */
function drawCode(
  lead: string | undefined,
  lines: readonly string[],
  columns: number,
): readonly string[] {
  const apart = lines.map((line) => `  ${line}`);
  if (lead === undefined) return apart;
  const together = `${lead} ${lines[0]!}`;
  const fits = (line: string): boolean => textWidth(line) <= columns;
  // Code that is too wide in either layout is put on a single line.
  const inOne = lines.length === 1 && (fits(together) || !apart.every(fits));
  return inOne ? [together] : [lead, ...apart];
}

function toned(paint: Paint, tone: Tone | undefined): (text: string) => string {
  switch (tone) {
    case 'good':
      return paint.green;
    case 'warn':
      return paint.yellow;
    case 'bad':
      return paint.red;
    case 'soft':
      return paint.dim;
    case 'strong':
      return paint.bold;
    case undefined:
      return (text) => text;
  }
}

function plotStyle(paint: Paint): PlotStyle {
  const colors: Readonly<Record<PlotRole, (text: string) => string>> = {
    axis: paint.dim,
    reference: paint.bold,
    candidate: paint.cyan,
    trained: paint.green,
    target: paint.yellow,
    text: (text) => text,
  };
  return (text, role) => colors[role](text);
}

/** Tables have no lines, because the width is needed for numbers. */
const NO_LINES: NonNullable<TableConstructorOptions['chars']> = Object.freeze({
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
});

const WIDER = 'Some columns need a wider terminal; --json has everything.';

/** Draws a table. If it is too wide, spare columns are dropped first, and then the intervals. */
function drawTable(table: TableBlock, pen: Pen): string {
  const { columns, paint } = pen;
  const spare = [...new Set(table.columns.flatMap(({ spare = 0 }) => (spare > 0 ? [spare] : [])))];
  const tries: Layout[] = [
    { left: 0, details: true },
    ...spare.sort((a, b) => a - b).map((left) => ({ left, details: true })),
    { left: Math.max(0, ...spare), details: false },
  ];
  const texts = tries.map((layout) => layTable(table, layout, paint));
  const fitting = texts.findIndex((text) => widestLine(text) <= columns);
  if (fitting === 0) return texts[0]!;
  if (fitting < 0) {
    return `(needs ${widestLine(texts.at(-1)!)} columns; --json has what is in it)`;
  }
  return `${texts[fitting]!}\n${paint.dim(filled(WIDER, pen))}`;
}

/** What of a table is drawn. */
interface Layout {
  /** Columns that may be spared up to this number are left out. */
  readonly left: number;
  readonly details: boolean;
}

function layTable({ columns, rows }: TableBlock, layout: Layout, paint: Paint): string {
  const Table = cliTable();
  const shown = [...columns.entries()].filter(
    ([, { spare }]) => spare === undefined || spare > layout.left,
  );
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: shown.map(([, { align }]) => align),
  });
  table.push(
    headOf(shown.map(([, column]) => column)).map((content) => ({
      content: paint.bold(content),
      vAlign: 'bottom' as const,
    })),
  );
  for (const { cells } of rows) {
    table.push(shown.map(([at, column]) => cellText(cells[at], column, layout, paint)));
  }
  return table
    .toString()
    .replaceAll(CODE_OF_THE_LIBRARY, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Codes that the library adds, since it does not know ours for closed. Ours have a token. */
// eslint-disable-next-line no-control-regex -- the pattern looks for them
const CODE_OF_THE_LIBRARY = /\u001b\[\d*m/g;

/** Makes the head of a table. Neighbours that share a heading show it above the first of them. */
function headOf(columns: readonly Column[]): readonly string[] {
  const headings = columns.map(({ title, narrow = ['', lowerFirst(title)] }) => narrow);
  const grouped = headings.some(([group]) => group !== '');
  return headings.map(([group, title], i) => {
    if (!grouped) return title;
    return `${group === headings[i - 1]?.[0] ? '' : group}\n${title}`;
  });
}

function cellText(
  cell: TableCell | undefined,
  { roomy = false, wrap }: Column,
  { details }: Layout,
  paint: Paint,
): string {
  if (cell === undefined) return '';
  const { text, detail, tone, name } = cell;
  // Each line has codes of its own, because lines of a cell stand beside other cells.
  const value = (name ? wrapLabel(text) : wrapped(printable(text), wrap))
    .split('\n')
    .map(toned(paint, tone))
    .join('\n');
  return details && !roomy && detail !== undefined ? `${value}\n${paint.dim(detail)}` : value;
}

/** Wraps a cell's text. Repeated spaces are kept if the column does not wrap. */
function wrapped(text: string, width: number | undefined): string {
  return width === undefined ? text : fill(text, width, '');
}

/**
 * Loads cli-table3 when a table is drawn, because loading it takes longer than a whole `inspect`.
 * It uses `require`, because forms are synchronous.
 */
function cliTable(): typeof CliTable {
  return createRequire(import.meta.url)('cli-table3') as typeof CliTable;
}

/** Longer labels are wrapped. `as-configured *` fits. */
const LABEL_WIDTH = 15;
const LABEL_LINES = 4;

function wrapLabel(label: string): string {
  const text = printable(label);
  const lines = text.match(new RegExp(`.{1,${LABEL_WIDTH}}`, 'gu')) ?? [text];
  // A JSON object can be of any length. Every file form prints all of it.
  if (lines.length <= LABEL_LINES) return lines.join('\n');
  return [...lines.slice(0, LABEL_LINES - 1), '…'].join('\n');
}

const BARS = '▁▂▃▄▅▆▇█';
const ROW_LABEL = 9;
/** Columns of a cell that has a bar beside its number. */
const WITH_BAR = 6;

/** Draws accuracy by length and distance as bars with numbers, readable without colour. */
function drawHeatmap({ label, heatmap }: HeatmapBlock, { columns, paint }: Pen): readonly string[] {
  // A cell has a bar, a number and a space if they fit, and otherwise only the number.
  const width = ROW_LABEL + heatmap.bins.length * WITH_BAR <= columns ? WITH_BAR : 4;
  const rows = heatmap.rows.map(({ rung, cells }) => {
    const tokens = shortTokens(rung.tokens).padStart(ROW_LABEL - 1);
    return `${tokens} ${cells.map((cell) => heatCell(cell, width, paint)).join('')}`.trimEnd();
  });
  const span = heatmap.bins.length * width;
  const axis = 'near'.padEnd(Math.max(5, span - 7)) + 'far';
  return [printable(label), ...rows, `${' '.repeat(ROW_LABEL)}  ${axis.trimEnd()}`];
}

function heatCell(share: number | null, width: number, paint: Paint): string {
  if (share === null) return '–'.padStart(width - 1).padEnd(width);
  const number = percent(share).replace(' %', '').padStart(3);
  const bar = BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))] ?? '';
  const shown = width === WITH_BAR ? `${bar}${number}` : number;
  const color = share >= 0.75 ? paint.green : share >= 0.5 ? paint.yellow : paint.red;
  return `${color(shown)}${' '.repeat(width - shown.length)}`;
}

/** Lowers the first letter of a heading, unless it is an acronym. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]+[ ,]|^[A-Z][a-z]+$/.test(text)
    ? text.charAt(0).toLowerCase() + text.slice(1)
    : text;
}

// eslint-disable-next-line no-control-regex -- the start of a terminal's colour code
const COLOUR = /\u001b\[[\d;]*m/g;
/** Every character before the combining marks takes one column. */
// eslint-disable-next-line no-control-regex -- a range from the first character on
const SIMPLE = /^[\u0000-\u02ff]*$/;
const NO_COLUMN = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const TWO_COLUMNS =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

/**
 * The number of columns that a text takes in a terminal. Colour codes and combining marks take
 * none, and East Asian characters two (Unicode annex 11, without its ambiguous ones).
 */
export function textWidth(text: string): number {
  const bare = text.includes('\u001b') ? text.replaceAll(COLOUR, '') : text;
  if (SIMPLE.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare) {
    if (TWO_COLUMNS.test(character)) width += 2;
    else if (!NO_COLUMN.test(character)) width += 1;
  }
  return width;
}

/** The width in columns of the widest line. */
export function widestLine(text: string): number {
  return Math.max(...text.split('\n').map(textWidth));
}

/**
 * Wraps a paragraph at spaces. Lines after the first are indented, and a word wider than a line
 * stays whole. A paragraph that has line breaks, such as a JSON block, is left alone.
 */
export function fill(paragraph: string, columns: number, indent: string): string {
  if (paragraph.includes('\n')) return paragraph;
  const lines: string[] = [];
  let line = '';
  let width = 0;
  for (const word of wordsOf(paragraph)) {
    const size = textWidth(word);
    if (line !== '' && width + 1 + size > columns - indent.length) {
      lines.push(line);
      line = word;
      width = size;
    } else {
      line = line === '' ? word : `${line} ${word}`;
      width += line === word ? size : size + 1;
    }
  }
  return [...lines, line].join(`\n${indent}`);
}

/** Splits a paragraph into words and keeps `6 %` together. */
function wordsOf(paragraph: string): string[] {
  return paragraph
    .replaceAll(/(?<=\d) %/g, '\u00a0%')
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => word.replaceAll('\u00a0%', ' %'));
}

import { ends, nats, points } from '../format.js';
import type { PlotStyle } from '../plots.js';
import type { Interval } from '../schema/values.js';

/**
 * The contents of a document before any form draws it. A section is written once, as data, and the
 * terminal, Markdown and HTML each draw the same blocks in their own way.
 */

export type Tone = 'good' | 'warn' | 'bad' | 'soft' | 'strong';

/** One cell of a table. */
export interface TableCell {
  readonly text: string;
  /** Usually the 95 % interval, drawn under the value or in brackets after it. */
  readonly detail?: string;
  readonly tone?: Tone;
  /** Whether it is a label or another name from a file: set apart, and wrapped if it is long. */
  readonly name?: boolean;
}

export interface Column {
  /** Clear without its neighbours, for screen readers: `Short-context loss, nats`. */
  readonly title: string;
  /** For terminals: a heading shared by neighbouring columns, and the title under it. */
  readonly narrow?: readonly [group: string, title: string];
  readonly align: 'left' | 'right';
  /** Columns to drop if there is no room, 1 first. Columns without a number stay. */
  readonly spare?: number;
  /** Characters after which a terminal wraps text, so that the column stays narrow. */
  readonly wrap?: number;
  /** Whether only pages show the intervals, for which terminals and pull requests have no room. */
  readonly roomy?: boolean;
}

export interface Row {
  readonly cells: readonly TableCell[];
  readonly marked?: boolean;
}

export interface TableBlock {
  readonly kind: 'table';
  /** What the table shows, for readers who cannot see it. */
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Accuracy by length and distance, longest length last; null = nothing was asked. */
export interface Heatmap {
  readonly rows: readonly {
    readonly rung: { readonly multiple: number; readonly tokens: number };
    readonly cells: readonly (number | null)[];
  }[];
  /** Distance bins as shares of the length, nearest first. */
  readonly bins: readonly { readonly from: number; readonly to: number }[];
}

export interface HeatmapBlock {
  readonly kind: 'heatmap';
  readonly label: string;
  readonly heatmap: Heatmap;
  /** The heatmap to show if there is only room for one. */
  readonly featured: boolean;
}

/** One value of a chart with its 95 % interval. */
export interface IntervalRow {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly text: string;
  /** Whether the true value may lie further right, which is drawn as an arrow. */
  readonly open?: boolean;
}

/** Values on a common axis. */
export interface IntervalChart {
  readonly kind: 'intervals';
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly rows: readonly IntervalRow[];
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** A line such as the target or zero. */
  readonly goal: { readonly at: number; readonly text: string };
}

/** Turns of each rotary pair, on a logarithmic axis. */
export interface TurnsChart {
  readonly kind: 'turns';
  readonly lines: readonly TurnsLine[];
}

export interface TurnsLine {
  readonly name: string;
  /** (pairs,) turns. Pairs that do not turn are 0 and are not drawn. */
  readonly turns: readonly number[];
  readonly style: 'trained' | 'plain' | 'scaled';
}

/** A line with its severity: a finding, or a rule of a gate. */
export interface MarkedLine {
  /** Such as `warning` or `pass`. */
  readonly mark: string;
  readonly tone: Tone;
  /** Such as `RE012`. */
  readonly code?: string;
  readonly text: string;
  readonly more?: string;
}

export interface MarksBlock {
  readonly kind: 'marks';
  readonly lines: readonly MarkedLine[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | MarksBlock
  /** Text to copy unchanged. */
  | {
      readonly kind: 'code';
      readonly language: 'json' | 'sh';
      /** Introduces the code, on the same line if there is room. */
      readonly lead?: string;
      readonly text: string;
    }
  | TableBlock
  | HeatmapBlock
  | IntervalChart
  | TurnsChart
  /** A picture made of characters, only for terminals. */
  | { readonly kind: 'plot'; readonly draw: (columns: number, style: PlotStyle) => string[] };

export interface Section {
  /** Unique in the document. Pages use it as an anchor. */
  readonly id: string;
  readonly title?: string;
  /** 1: the title is that of the document; 2, the default: a chapter; 3: a part of one. */
  readonly depth?: 1 | 2 | 3;
  /** Whether the section has what most readers look for. */
  readonly prominent?: boolean;
  readonly blocks: readonly Block[];
}

/** Blocks that are pictures, which `--no-plots` omits. */
const PICTURES: ReadonlySet<Block['kind']> = new Set(['heatmap', 'intervals', 'turns', 'plot']);

/**
 * Selects the sections that have contents to draw.
 *
 * @param plots false: without pictures
 * @param cannot kinds of blocks that the form cannot draw
 */
export function sectionsToDraw(
  sections: readonly Section[],
  plots: boolean,
  cannot: readonly Block['kind'][],
): readonly Section[] {
  const isDrawn = (block: Block): boolean =>
    !isEmpty(block) && !cannot.includes(block.kind) && (plots || !PICTURES.has(block.kind));
  return sections
    .map((section) => ({ ...section, blocks: section.blocks.filter(isDrawn) }))
    .filter(
      (section) => section.depth === 1 || section.blocks.some((block) => says(section, block)),
    );
}

/** Whether a block says something. A note below a title only explains other blocks. */
function says({ title }: Section, block: Block): boolean {
  return title === undefined || block.kind !== 'text' || block.tone !== 'soft';
}

function isEmpty(block: Block): boolean {
  switch (block.kind) {
    case 'text':
    case 'code':
      return block.text === '';
    case 'list':
      return block.items.length === 0;
    case 'marks':
      return block.lines.length === 0;
    case 'table':
    case 'intervals':
      return block.rows.length === 0;
    case 'heatmap':
      return block.heatmap.rows.length === 0;
    case 'turns':
    case 'plot':
      return false;
  }
}

/** Makes a block of each paragraph. Empty ones are omitted when the section is drawn. */
export function paragraphs(lines: readonly string[], tone?: Tone): readonly Block[] {
  return lines.map((text) => ({ kind: 'text', text, ...(tone === undefined ? {} : { tone }) }));
}

/** A section of text alone. */
export function textSection(id: string, lines: readonly string[], tone?: Tone): Section {
  return { id, blocks: paragraphs(lines, tone) };
}

/** Makes a table of plain cells: the first column aligned left, the others right, or as given. */
export function plainTable(
  name: string,
  head: readonly (string | Column)[],
  rows: readonly (readonly (string | TableCell)[])[],
): TableBlock {
  return {
    kind: 'table',
    name,
    columns: head.map((column, i) =>
      typeof column === 'string' ? { title: column, align: i === 0 ? 'left' : 'right' } : column,
    ),
    rows: rows.map((cells) => ({
      cells: cells.map((cell) => (typeof cell === 'string' ? { text: cell } : cell)),
    })),
  };
}

/** A column of numbers, with its title in two lines for terminals. */
export function numberColumn(
  title: string,
  narrow: Column['narrow'] & object,
  more?: Partial<Column>,
): Column {
  return { title, narrow, align: 'right', ...more };
}

/** A change of a share, in points. */
export function pointsCell(change: Interval): TableCell {
  return { text: points(change.value), detail: ends(change, 1, 100) };
}

/** A change of a loss. */
export function natsCell(change: Interval): TableCell {
  return { text: nats(change.value), detail: ends(change, 3) };
}

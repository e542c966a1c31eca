import type { Heatmap } from '../format.js';
import type { PlotStyle } from '../plots.js';

/**
 * What a document says, before any form draws it: a section is written once, as data, and the
 * terminal, Markdown and HTML each draw the same blocks in their own way.
 */

export type Tone = 'good' | 'warn' | 'bad' | 'soft' | 'strong';

/** One cell of a table. */
export interface Cell {
  readonly text: string;
  /** Usually the 95 % interval: under the value, or in brackets behind it. */
  readonly detail?: string;
  readonly tone?: Tone;
  /** A candidate's label or another name that a file gave: set apart, and wrapped where long. */
  readonly name?: boolean;
}

export interface Column {
  /** Stands alone, so that a screen reader can announce it: `Short-context loss, nats`. */
  readonly title: string;
  /** For a terminal: a heading that neighbouring columns share, and what stands under it. */
  readonly narrow?: readonly [group: string, title: string];
  readonly align: 'left' | 'right';
  /** Where there is no room, 1 goes first; columns without a number stay. */
  readonly spare?: number;
  /** Characters at which a terminal breaks its words, so that the column stays narrow. */
  readonly wrap?: number;
  /** Its intervals stand on a page only: a terminal and a pull request have no room for them. */
  readonly roomy?: boolean;
}

export interface Row {
  readonly cells: readonly Cell[];
  /** The row that the verdict is about. */
  readonly marked?: boolean;
}

export interface TableBlock {
  readonly kind: 'table';
  /** What the table shows, for those who cannot see it. */
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Accuracy by length and distance. */
export interface HeatmapBlock {
  readonly kind: 'heatmap';
  readonly label: string;
  readonly heatmap: Heatmap;
  /** The one to show where there is room for one. */
  readonly featured: boolean;
}

/** One value of a chart with its 95 % interval. */
export interface IntervalRow {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Written at the end of the row. */
  readonly text: string;
  /** The true value may lie further right: drawn as an arrow. */
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
  readonly lines: readonly {
    readonly name: string;
    /** (pairs,) turns; pairs that stand still are 0 and are not drawn. */
    readonly turns: readonly number[];
    readonly style: 'trained' | 'plain' | 'scaled';
  }[];
}

/** A line that says how serious it is: a finding, a rule of a gate. */
export interface MarkedLine {
  /** `warning`, `pass`. */
  readonly mark: string;
  readonly tone: Tone;
  /** `RE012` */
  readonly code?: string;
  readonly text: string;
  /** Under it. */
  readonly more?: string;
}

export type Block =
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'marks'; readonly lines: readonly MarkedLine[] }
  /** To be copied as it stands. */
  | {
      readonly kind: 'code';
      readonly language: 'json' | 'sh';
      /** What it is; before it where there is room on the line. */
      readonly lead?: string;
      readonly text: string;
    }
  | TableBlock
  | HeatmapBlock
  | IntervalChart
  | TurnsChart
  /** A picture made of characters, for terminals alone. */
  | { readonly kind: 'plot'; readonly draw: (columns: number, style: PlotStyle) => string[] };

export interface Section {
  /** Unique in the document; the anchor in a page. */
  readonly id: string;
  readonly title?: string;
  /** The title of depth 1 is the document's. */
  readonly depth: 1 | 2 | 3;
  /** What a reader came for. */
  readonly prominent?: boolean;
  readonly blocks: readonly Block[];
}

/** Blocks that are pictures, which `--no-plots` leaves out. */
const PICTURES: ReadonlySet<Block['kind']> = new Set(['heatmap', 'intervals', 'turns', 'plot']);

/**
 * Sections that have something to say.
 *
 * @param plots false: without pictures
 * @param cannot kinds of blocks that the form has no way to draw
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

/** A note below a title explains what stands beside it, and says nothing alone. */
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

/** Paragraphs, a block each; empty ones are left out when the section is drawn. */
export function paragraphs(lines: readonly string[], tone?: Tone): readonly Block[] {
  return lines.map((text) => ({ kind: 'text', text, ...(tone === undefined ? {} : { tone }) }));
}

/** A table of plain cells: the first column to the left, the others to the right, or as given. */
export function plainTable(
  name: string,
  head: readonly (string | Column)[],
  rows: readonly (readonly (string | Cell)[])[],
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

import { multiple, shortTokens } from './format.js';

/** What a mark represents, so that callers can colour it. */
export type PlotRole = 'axis' | 'reference' | 'candidate' | 'trained' | 'target' | 'text';

/** Colours a piece of text; the default leaves it plain. */
export type PlotStyle = (text: string, role: PlotRole) => string;

const plainStyle: PlotStyle = (text) => text;

interface PlotCell {
  readonly glyph: string;
  readonly role: PlotRole;
}

/** A grid of single characters. A later mark replaces an earlier one. */
class Canvas {
  private readonly cells: (PlotCell | undefined)[];

  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.cells = new Array<PlotCell | undefined>(columns * rows);
  }

  /** Places a mark. Marks outside the grid are ignored. */
  mark(column: number, row: number, glyph: string, role: PlotRole): void {
    if (column < 0 || column >= this.columns || row < 0 || row >= this.rows) return;
    this.cells[row * this.columns + column] = { glyph, role };
  }

  /** Returns one row as text, without trailing spaces. */
  line(row: number, style: PlotStyle): string {
    const cells = this.cells.slice(row * this.columns, (row + 1) * this.columns);
    let last = -1;
    for (let column = 0; column < cells.length; column++) {
      if (cells[column] !== undefined) last = column;
    }
    return Array.from({ length: last + 1 }, (_, column) => {
      const cell = cells[column];
      return cell === undefined ? ' ' : style(cell.glyph, cell.role);
    }).join('');
  }
}

/** Letters of the candidates: `a`, `b` …, without `o`, which is the reference. */
const CANDIDATE_GLYPHS = 'abcdefghijklmnpqrstuvwxyz';
const REFERENCE_GLYPH = 'o';

/** Whole powers of ten between two positive numbers. */
function decades(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 10 ** (first + index));
}

interface Tick {
  readonly column: number;
  readonly text: string;
}

/** Places labels under an axis, each starting at its column. Overlapping labels are left out. */
function axisLabels(labels: readonly Tick[], columns: number): string {
  let line = '';
  for (const { column, text } of [...labels].sort((a, b) => a.column - b.column)) {
    const start = Math.min(column, columns - text.length);
    if (line.length > 0 && start < line.length + 1) continue;
    line = line.padEnd(start) + text;
  }
  return line;
}

/** 1000 → `1000`, 100000 → `1e5`, 0.01 → `0.01`, 0.0001 → `1e-4` */
function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent > 4 || exponent < -3) return `1e${exponent}`;
  return exponent >= 0 ? String(10 ** exponent) : (10 ** exponent).toFixed(-exponent);
}

/** Makes a legend, `o reference   a yarn:4   b linear:4`, in lines of at most `width`. */
function legendLines(
  labels: readonly string[],
  width: number,
  indent: string,
  style: PlotStyle,
): string[] {
  const entries = labels.map((label, index) => ({
    glyph: seriesGlyph(index),
    role: index === 0 ? ('reference' as const) : ('candidate' as const),
    label: label.slice(0, width - indent.length - 2),
  }));
  const lines: string[] = [];
  let line = indent;
  let length = indent.length;
  for (const { glyph, role, label } of entries) {
    const size = glyph.length + 1 + label.length;
    if (length > indent.length && length + 3 + size > width) {
      lines.push(line);
      line = indent;
      length = indent.length;
    }
    const gap = length > indent.length ? '   ' : '';
    line += `${gap}${style(glyph, role)} ${label}`;
    length += gap.length + size;
  }
  return [...lines, line];
}

/** The glyph of a series. The first series is the reference. */
function seriesGlyph(index: number): string {
  return index === 0
    ? REFERENCE_GLYPH
    : (CANDIDATE_GLYPHS[(index - 1) % CANDIDATE_GLYPHS.length] as string);
}

/** What stands around the marks of a chart. */
interface Frame {
  /** Characters to the left of the canvas. */
  readonly margin: number;
  readonly label: (row: number) => string;
  readonly ticks: readonly Tick[];
  readonly notes: readonly string[];
  readonly series: readonly { readonly label: string }[];
}

function framed(canvas: Canvas, style: PlotStyle, frame: Frame): string[] {
  const margin = ' '.repeat(frame.margin);
  const labels = frame.series.map(({ label }) => label);
  return [
    ...Array.from({ length: canvas.rows }, (_, row) =>
      `${style(frame.label(row), 'axis')}${canvas.line(row, style)}`.trimEnd(),
    ),
    `${margin}${style(axisLabels(frame.ticks, canvas.columns), 'axis')}`,
    ...frame.notes.map((note) => margin + note),
    ...legendLines(labels, frame.margin + canvas.columns, margin, style),
  ];
}

interface DecaySeries {
  readonly label: string;
  /** Bins of distance with the mean cosine over the pairs, nearest first. */
  readonly points: readonly { readonly from: number; readonly to: number; readonly mean: number }[];
}

interface DecayChartOptions {
  /** The reference first. */
  readonly series: readonly DecaySeries[];
  /** Tokens. */
  readonly trainedRange: number;
  /** Characters. */
  readonly width?: number;
  readonly rows?: number;
  readonly style?: PlotStyle;
}

const DECAY_MARGIN = 7;

/**
 * Draws the mean cosine over pairs by distance, on a log axis. Where the curve falls below zero, a
 * head prefers a random token to an equal one at that distance.
 */
export function decayChart({
  series,
  trainedRange,
  width = 80,
  rows = 13,
  style = plainStyle,
}: DecayChartOptions): string[] {
  const points = series.flatMap((each) => each.points);
  const longest = Math.max(1, ...points.map(({ to }) => to));
  if (points.length === 0 || longest < 2) return [];
  const lowest = Math.min(0, ...points.map(({ mean }) => mean));
  const columns = width - DECAY_MARGIN;
  const column = (distance: number): number =>
    Math.round((Math.log(distance) / Math.log(longest)) * (columns - 1));
  const row = (mean: number): number => Math.round(((1 - mean) / (1 - lowest)) * (rows - 1));

  const canvas = new Canvas(columns, rows);
  for (let x = 0; x < columns; x++) canvas.mark(x, row(0), '┈', 'axis');
  if (trainedRange < longest) {
    for (let y = 0; y < rows; y++) canvas.mark(column(trainedRange), y, '│', 'trained');
  }
  for (let index = series.length - 1; index >= 0; index--) {
    for (const { from, to, mean } of series[index]?.points ?? []) {
      const role = index === 0 ? 'reference' : 'candidate';
      canvas.mark(column(Math.sqrt(from * to)), row(mean), seriesGlyph(index), role);
    }
  }
  const labelled = new Map([
    [rows - 1, lowest.toFixed(2)],
    [row(0.5), '0.50'],
    [row(0), '0.00'],
    [0, '1.00'],
  ]);
  const ticks: Tick[] = [];
  for (let distance = 1; distance <= longest; distance *= 8) {
    ticks.push({ column: column(distance), text: shortTokens(distance) });
  }
  const beyond = `   ${style('│', 'trained')} trained range, ${shortTokens(trainedRange)}`;
  return framed(canvas, style, {
    margin: DECAY_MARGIN,
    label: (y) => (labelled.get(y) ?? '').padStart(DECAY_MARGIN - 1) + ' ',
    ticks,
    notes: [`distance in tokens${trainedRange < longest ? beyond : ''}`],
    series,
  });
}

interface SpectrumSeries {
  readonly label: string;
  /** (pairs,) turns over the trained range. */
  readonly rotations: readonly number[];
}

interface SpectrumOptions {
  /** The reference first. Candidates are drawn under it. */
  readonly series: readonly SpectrumSeries[];
  /** Tokens. */
  readonly trainedRange: number;
  readonly targetRange: number;
  /** Characters. */
  readonly width?: number;
  readonly maxRows?: number;
  readonly style?: PlotStyle;
}

const SPECTRUM_MARGIN = 9;

/**
 * Draws pairs from the fastest (top) to the slowest by their turns over the trained range, on a log
 * axis. A pair left of `│` never completed a turn in training; one left of `┊` does not complete a
 * turn at the target either.
 */
export function spectrumChart({
  series,
  trainedRange,
  targetRange,
  width = 80,
  maxRows = 22,
  style = plainStyle,
}: SpectrumOptions): string[] {
  const turning = series.flatMap(({ rotations }) => rotations.filter((turns) => turns > 0));
  const pairs = Math.max(0, ...series.map(({ rotations }) => rotations.length));
  if (turning.length === 0) return [];
  const targetTurn = trainedRange / targetRange;
  const low = Math.log10(Math.min(1, targetTurn, ...turning));
  const high = Math.log10(Math.max(1, targetTurn, ...turning));
  const columns = width - SPECTRUM_MARGIN;
  const column = (turns: number): number =>
    Math.round(((Math.log10(turns) - low) / (high - low || 1)) * (columns - 1));

  const step = Math.ceil(pairs / maxRows);
  const rows = Math.ceil(pairs / step);
  const canvas = new Canvas(columns, rows);
  for (let row = 0; row < rows; row++) {
    if (targetTurn !== 1) canvas.mark(column(targetTurn), row, '┊', 'target');
    canvas.mark(column(1), row, '│', 'trained');
    // The reference is drawn last, so that candidates show only where they differ from it.
    for (let index = series.length - 1; index >= 0; index--) {
      const turns = series[index]?.rotations[row * step] ?? 0;
      const role = index === 0 ? 'reference' : 'candidate';
      if (turns > 0) canvas.mark(column(turns), row, seriesGlyph(index), role);
    }
  }
  return framed(canvas, style, {
    margin: SPECTRUM_MARGIN,
    label: (row) => `pair ${String(row * step).padStart(3)} `,
    ticks: decades(10 ** low, 10 ** high).map((value) => ({
      column: column(value),
      text: powerOfTen(value),
    })),
    notes: [
      `turns over the trained ${shortTokens(trainedRange)} tokens`,
      `${style('│', 'trained')} one turn over ${shortTokens(trainedRange)} tokens`,
      ...(targetTurn === 1
        ? []
        : [
            `${style('┊', 'target')} one turn over the target, ` +
              `${shortTokens(targetRange)} (${multiple(1 / targetTurn)})`,
          ]),
    ],
    series,
  });
}

import { shortTokens } from '../format.js';
import { axisLabels, Canvas, plainStyle, type PlotStyle } from './canvas.js';
import { legendLines, seriesGlyph } from './legend.js';

export interface DecaySeries {
  readonly label: string;
  /** Bins of distance with the mean cosine over pairs, nearest first. */
  readonly points: readonly { readonly from: number; readonly to: number; readonly mean: number }[];
}

export interface DecayChartOptions {
  /** The reference first. */
  readonly series: readonly DecaySeries[];
  /** Tokens. */
  readonly trainedRange: number;
  /** Characters. */
  readonly width?: number;
  readonly rows?: number;
  readonly style?: PlotStyle;
}

const MARGIN = 7;

/**
 * Mean cosine over pairs against distance on a log axis. Where the curve goes below the zero line,
 * a head prefers a random token to an equal one at that distance.
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
  const columns = width - MARGIN;
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
  const ticks: { column: number; text: string }[] = [];
  for (let distance = 1; distance <= longest; distance *= 8) {
    ticks.push({ column: column(distance), text: shortTokens(distance) });
  }
  const margin = ' '.repeat(MARGIN);
  return [
    ...Array.from({ length: rows }, (_, y) => {
      const label = (labelled.get(y) ?? '').padStart(MARGIN - 1) + ' ';
      return `${style(label, 'axis')}${canvas.line(y, style)}`.trimEnd();
    }),
    `${margin}${style(axisLabels(ticks, columns), 'axis')}`,
    `${margin}distance in tokens` +
      (trainedRange < longest
        ? `   ${style('│', 'trained')} trained range, ${shortTokens(trainedRange)}`
        : ''),
    ...legendLines(
      series.map(({ label }) => label),
      width,
      margin,
      style,
    ),
  ];
}

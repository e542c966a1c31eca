import { multiple, shortTokens } from '../format.js';
import { axisLabels, Canvas, decades, plainStyle, powerOfTen, type PlotStyle } from './canvas.js';
import { legendLines, seriesGlyph } from './legend.js';

export interface SpectrumSeries {
  readonly label: string;
  /** (pairs,) turns over the trained range. */
  readonly rotations: readonly number[];
}

export interface SpectrumOptions {
  /** The reference first; candidates are drawn under it. */
  readonly series: readonly SpectrumSeries[];
  /** Tokens. */
  readonly trainedRange: number;
  readonly targetRange: number;
  /** Characters. */
  readonly width?: number;
  readonly maxRows?: number;
  readonly style?: PlotStyle;
}

const MARGIN = 9;

/**
 * Pairs from the fastest (top) to the slowest against their turns over the trained range, on a log
 * axis. A pair left of `│` never completed a turn in training; one left of `┊` does not complete
 * one at the target either.
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
  const columns = width - MARGIN;
  const column = (turns: number): number =>
    Math.round(((Math.log10(turns) - low) / (high - low || 1)) * (columns - 1));

  const step = Math.ceil(pairs / maxRows);
  const rows = Math.ceil(pairs / step);
  const canvas = new Canvas(columns, rows);
  for (let row = 0; row < rows; row++) {
    if (targetTurn !== 1) canvas.mark(column(targetTurn), row, '┊', 'target');
    canvas.mark(column(1), row, '│', 'trained');
    // The reference last, so that a candidate shows only where it differs.
    for (let index = series.length - 1; index >= 0; index--) {
      const turns = series[index]?.rotations[row * step] ?? 0;
      const role = index === 0 ? 'reference' : 'candidate';
      if (turns > 0) canvas.mark(column(turns), row, seriesGlyph(index), role);
    }
  }
  const margin = ' '.repeat(MARGIN);
  const ticks = decades(10 ** low, 10 ** high).map((value) => ({
    column: column(value),
    text: powerOfTen(value),
  }));
  return [
    ...Array.from({ length: rows }, (_, row) => {
      const label = `pair ${String(row * step).padStart(3)} `;
      return `${style(label, 'axis')}${canvas.line(row, style)}`.trimEnd();
    }),
    `${margin}${style(axisLabels(ticks, columns), 'axis')}`,
    `${margin}turns over the trained ${shortTokens(trainedRange)} tokens`,
    `${margin}${style('│', 'trained')} one turn over ${shortTokens(trainedRange)} tokens`,
    ...(targetTurn === 1
      ? []
      : [
          `${margin}${style('┊', 'target')} one turn over the target, ` +
            `${shortTokens(targetRange)} (${multiple(1 / targetTurn)})`,
        ]),
    ...legendLines(
      series.map(({ label }) => label),
      width,
      margin,
      style,
    ),
  ];
}

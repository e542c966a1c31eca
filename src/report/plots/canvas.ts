/** What a mark stands for, so that a caller can colour it. */
export type PlotRole = 'axis' | 'reference' | 'candidate' | 'trained' | 'target' | 'text';

/** Gives a piece of text its colour; plain by default. */
export type PlotStyle = (text: string, role: PlotRole) => string;

export const plainStyle: PlotStyle = (text) => text;

interface Cell {
  readonly glyph: string;
  readonly role: PlotRole;
}

/** A grid of single characters; a later mark replaces an earlier one. */
export class Canvas {
  private readonly cells: (Cell | undefined)[];

  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    this.cells = new Array<Cell | undefined>(columns * rows);
  }

  /** Marks outside the grid are left out. */
  mark(column: number, row: number, glyph: string, role: PlotRole): void {
    if (column < 0 || column >= this.columns || row < 0 || row >= this.rows) return;
    this.cells[row * this.columns + column] = { glyph, role };
  }

  /** One row as text, without the blanks at its end. */
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

/** Letters of the candidates: `a`, `b` …; the reference is `o`, which is left out. */
export const CANDIDATE_GLYPHS = 'abcdefghijklmnpqrstuvwxyz';
export const REFERENCE_GLYPH = 'o';

/** Whole powers of ten between two numbers, > 0. */
export function decades(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 10 ** (first + index));
}

/** Labels under an axis, each starting at its column; one that would overlap is left out. */
export function axisLabels(
  labels: readonly { readonly column: number; readonly text: string }[],
  columns: number,
): string {
  let line = '';
  for (const { column, text } of [...labels].sort((a, b) => a.column - b.column)) {
    const start = Math.min(column, columns - text.length);
    if (line.length > 0 && start < line.length + 1) continue;
    line = line.padEnd(start) + text;
  }
  return line;
}

/** 1000 → `1000`, 100000 → `1e5`, 0.01 → `0.01`, 0.0001 → `1e-4` */
export function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent > 4 || exponent < -3) return `1e${exponent}`;
  return exponent >= 0 ? String(10 ** exponent) : (10 ** exponent).toFixed(-exponent);
}

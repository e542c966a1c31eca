import type { ComparedCell, Comparison } from '../gate/compare.js';
import { intervalWords, methodWords } from '../gate/words.js';
import { printable, trim } from '../report/format.js';
import { HONESTY } from '../report/sections/wording.js';
import { bareTable, fill } from '../report/terminal.js';
import type { Paint } from '../report/paint.js';

/** Two reports for a person: what differs between the runs, then the cells, largest change first. */
export function compareText(comparison: Comparison, paint: Paint, columns: number): string {
  const wrap = (text: string): string => fill(text, columns, '');
  const { before, after, cells } = comparison;
  const moved = cells.filter((cell) => cell.change.value !== 0);
  const clear = moved.filter((cell) => cell.clear);
  const shown = clear.length > 0 ? clear : moved.slice(0, FEW);
  const blocks = [
    `${paint.bold('before')} ${printable(before)}\n${paint.bold('after')}  ${printable(after)}`,
    conditionLines(comparison, paint, columns),
    shown.length > 0 ? table(shown, paint) : '',
    wrap(summary(comparison, moved.length, clear.length)),
    wrap(only('Only before', comparison.onlyBefore)),
    wrap(only('Only after', comparison.onlyAfter)),
    wrap(HONESTY),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** Changes that no interval confirms are shown where there is nothing better to show. */
const FEW = 10;

function summary({ cells }: Comparison, moved: number, clear: number): string {
  if (cells.length === 0) return 'The reports have no cell in common.';
  if (moved === 0) return `All ${cells.length} cells are the same.`;
  return (
    `${clear} of ${cells.length} cells changed by more than their intervals, ` +
    `${moved - clear} within them, ${cells.length - moved} are the same (--json has all). ${methodWords(cells)}`
  );
}

function conditionLines(
  { differences, paired }: Comparison,
  paint: Paint,
  columns: number,
): string {
  if (paired) return '';
  const lines = differences.map(
    ({ what, before, after }) =>
      `  ${fill(`${what}: ${printable(before)} | ${printable(after)}`, columns - 2, '    ')}`,
  );
  const head =
    lines.length > 0
      ? 'The runs differ, so that cells are not paired; lengths are compared as multiples of each trained window where those differ:'
      : 'Two different configs under the same conditions.';
  return [paint.yellow(fill(head, columns, '')), ...lines].join('\n');
}

function table(cells: readonly ComparedCell[], paint: Paint): string {
  const rows = cells.map((cell) => {
    const good = cell.change.value > 0 === (cell.better === 'higher');
    const color = !cell.clear ? paint.dim : good ? paint.green : paint.red;
    return [
      printable(cell.candidate),
      cell.cell,
      trim(cell.before.value, 4),
      trim(cell.after.value, 4),
      color(intervalWords(cell.change)),
    ];
  });
  const head = ['candidate', 'cell', 'before', 'after', 'change (95 % interval)'];
  return bareTable(head, rows, undefined, ['left', 'left', 'right', 'right', 'right']);
}

function only(title: string, keys: readonly string[]): string {
  const candidates = [...new Set(keys.map((key) => key.slice(0, key.lastIndexOf(': '))))];
  if (candidates.length === 0) return '';
  return `${title}: ${keys.length} cells of ${candidates.map(printable).join(', ')}.`;
}

import Table from 'cli-table3';
import type { ChalkInstance } from 'chalk';
import type { ComparedCell, Comparison } from '../../gate/compare.js';
import { intervalWords } from '../../gate/words.js';
import { printable, trim } from '../../report/format.js';
import { HONESTY } from '../../report/wording.js';

/** Two reports for a person: what differs between the runs, then the cells, largest change first. */
export function compareText(comparison: Comparison, paint: ChalkInstance): string {
  const { before, after, cells } = comparison;
  const clear = cells.filter((cell) => cell.clear);
  const rest = cells.length - clear.length;
  const shown = clear.length > 0 ? clear : cells.slice(0, 10);
  const blocks = [
    `${paint.bold('before')} ${printable(before)}\n${paint.bold('after')}  ${printable(after)}`,
    conditionLines(comparison, paint),
    shown.length > 0 ? table(shown, paint) : 'The reports have no cell in common.',
    rest > 0
      ? `${rest} more cells changed within their intervals, or not at all (--json has all).`
      : '',
    only('Only before', comparison.onlyBefore),
    only('Only after', comparison.onlyAfter),
    HONESTY,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function conditionLines({ differences, paired }: Comparison, paint: ChalkInstance): string {
  if (paired) return '';
  const lines = differences.map(
    ({ what, before, after }) => `  ${what}: ${printable(before)} | ${printable(after)}`,
  );
  const head =
    lines.length > 0
      ? 'The runs differ, so that cells are not paired; lengths are compared as multiples of each trained window where those differ:'
      : 'Two different configs under the same conditions:';
  return [paint.yellow(head), ...lines].join('\n');
}

function table(cells: readonly ComparedCell[], paint: ChalkInstance): string {
  const output = new Table({
    head: ['candidate', 'cell', 'before', 'after', 'change (95 % interval)'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'right'],
  });
  for (const cell of cells) {
    const good = cell.change.value > 0 === (cell.better === 'higher');
    const color = !cell.clear ? paint.dim : good ? paint.green : paint.red;
    output.push([
      printable(cell.candidate),
      cell.cell,
      trim(cell.before.value, 4),
      trim(cell.after.value, 4),
      color(intervalWords(cell.change)),
    ]);
  }
  return output.toString();
}

function only(title: string, keys: readonly string[]): string {
  const candidates = [...new Set(keys.map((key) => key.slice(0, key.lastIndexOf(': '))))];
  if (candidates.length === 0) return '';
  return `${title}: ${keys.length} cells of ${candidates.map(printable).join(', ')}.`;
}

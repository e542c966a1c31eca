import type { ChalkInstance } from 'chalk';
import { offsetWords, servingTables, type ServingTable } from '../serving-words.js';
import type { Report } from '../schema.js';
import { bareTable } from './bare-table.js';
import { fill } from './fill.js';
import { widestLine } from './widest-line.js';

/** Forms of dynamic scalings, the switch of longrope, the offset; '' where none was measured. */
export function servingText(report: Report, columns: number, paint: ChalkInstance): string {
  const blocks = servingTables(report).map((table) => {
    const lines = [paint.bold(table.title), draw(table, columns, paint)];
    return [...lines, ...(table.note === '' ? [] : [note(table.note, columns, paint)])].join('\n');
  });
  const offset = offsetWords(report);
  if (offset !== '') blocks.push(note(offset, columns, paint));
  return blocks.join('\n\n');
}

function note(text: string, columns: number, paint: ChalkInstance): string {
  return paint.dim(fill(text, columns, ''));
}

/** Where it is too wide, first the intervals go, then the lengths below the target. */
function draw(table: ServingTable, columns: number, paint: ChalkInstance): string {
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

import type { ChalkInstance } from 'chalk';
import { partEnds, PARTS_COLUMNS, partsRows, partValue } from '../parts-words.js';
import type { Interval, Report } from '../schema.js';
import { bareTable } from './bare-table.js';
import { wrapLabel } from './label.js';
import { widestLine } from './widest-line.js';

/** RoPE against dilution, a line a candidate; '' where it was not measured. */
export function partsTable(report: Report, columns: number, paint: ChalkInstance): string {
  const rows = partsRows(report);
  if (rows.length === 0) return '';
  const draw = (cell: (interval: Interval) => string): string =>
    bareTable(
      ['candidate', ...PARTS_COLUMNS.map(([, head]) => head)].map((head) => paint.bold(head)),
      rows.map(({ candidate, parts }) => [
        wrapLabel(candidate.label),
        ...PARTS_COLUMNS.map(([key]) => cell(parts[key])),
      ]),
      2,
    );
  const whole = draw((found) => `${partValue(found)} ${paint.dim(`(${partEnds(found)})`)}`);
  return widestLine(whole) <= columns ? whole : draw(partValue);
}

import type { ChalkInstance } from 'chalk';
import {
  NEIGHBOURS_HEAD,
  NEIGHBOURS_TITLE,
  neighbourRows,
  neighboursNote,
} from '../neighbour-words.js';
import type { Report } from '../schema.js';
import { bareTable } from './bare-table.js';
import { fill } from './fill.js';
import { wrapLabel } from './label.js';

/** The range over the neighbouring probe models; '' where they were not run. */
export function neighboursText(report: Report, columns: number, paint: ChalkInstance): string {
  const rows = neighbourRows(report);
  if (rows.length === 0) return '';
  const table = bareTable(
    NEIGHBOURS_HEAD.map((head) => paint.bold(head)),
    rows.map(([label, ...cells]) => [wrapLabel(label!), ...cells]),
    2,
    ['left', 'right', 'right', 'right', 'left'],
  );
  const note = paint.dim(fill(neighboursNote(report), columns, ''));
  return [paint.bold(NEIGHBOURS_TITLE), table, note].join('\n');
}

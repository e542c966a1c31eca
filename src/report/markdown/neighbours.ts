import {
  NEIGHBOURS_HEAD,
  NEIGHBOURS_TITLE,
  neighbourRows,
  neighboursNote,
} from '../neighbour-words.js';
import type { Report } from '../schema.js';
import { plain, table } from './parts.js';

/** The range over the neighbouring probe models; '' where they were not run. */
export function neighboursMarkdown(report: Report): string {
  const rows = neighbourRows(report).map((cells) => cells.map(plain));
  if (rows.length === 0) return '';
  const drawn = table(NEIGHBOURS_HEAD, rows);
  return `#### ${NEIGHBOURS_TITLE}\n\n${drawn}\n\n${plain(neighboursNote(report))}`;
}

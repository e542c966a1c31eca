import type { Report } from '../schema.js';
import { offsetWords, servingTables } from '../serving-words.js';
import { plain, table } from './parts.js';

/** Forms of dynamic scalings, the switch of longrope, the offset; '' where none was measured. */
export function servingMarkdown(report: Report): string {
  const blocks = servingTables(report).map(({ title, head, rows, note }) => {
    const cells = rows.map((row) =>
      row.map(([value, interval]) => plain(value) + (interval ? ` [${interval}]` : '')),
    );
    const drawn = `#### ${plain(title)}\n\n${table(head.map(plain), cells)}`;
    return note === '' ? drawn : `${drawn}\n\n${plain(note)}`;
  });
  return [...blocks, plain(offsetWords(report))].filter((block) => block !== '').join('\n\n');
}

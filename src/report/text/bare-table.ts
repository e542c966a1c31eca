import { textWidth } from './width.js';

export type Align = 'left' | 'right';

/**
 * A table in plain text, without lines: the width is needed for numbers. The first column stands
 * to the left, the others to the right, or as given. A cell may have several lines.
 */
export function bareTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  gap = 3,
  aligns: readonly Align[] = head.map((_, column) => (column === 0 ? 'left' : 'right')),
): string {
  const cells = [head, ...rows].map((row) => head.map((_, at) => (row[at] ?? '').split('\n')));
  const widths = head.map((_, at) =>
    Math.max(...cells.flatMap((row) => (row[at] ?? []).map(textWidth))),
  );
  const lines = cells.flatMap((row) => {
    const height = Math.max(...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      row
        .map((cell, at) => {
          const text = cell[line] ?? '';
          const blank = ' '.repeat((widths[at] ?? 0) - textWidth(text));
          return aligns[at] === 'right' ? blank + text : text + blank;
        })
        .join(' '.repeat(gap))
        .trimEnd(),
    );
  });
  return lines.join('\n');
}

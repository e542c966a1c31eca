import Table from 'cli-table3';

/** No lines: the width is needed for numbers. */
const BARE = Object.freeze(
  Object.fromEntries(
    ['top', 'bottom', 'left', 'right', 'mid']
      .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
      .map((name) => [name, '']),
  ),
);

export type Align = 'left' | 'right';

/** A table in plain text: the first column to the left, the others to the right, or as given. */
export function bareTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  gap = 3,
  aligns: readonly Align[] = head.map((_, column) => (column === 0 ? 'left' : 'right')),
): string {
  const table = new Table({
    head: [...head],
    colAligns: [...aligns],
    chars: { ...BARE, middle: ' '.repeat(gap) },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table.toString().replaceAll(/ +$/gm, '');
}

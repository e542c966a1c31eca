// eslint-disable-next-line no-control-regex -- the start of a terminal's colour code
const COLOUR = /\u001b\[[\d;]*m/g;
/** Everything before combining marks takes one column. */
// eslint-disable-next-line no-control-regex -- a range from the first character on
const SIMPLE = /^[\u0000-\u02ff]*$/;
const NO_COLUMN = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const TWO_COLUMNS =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

/**
 * Columns that a text takes in a terminal. Colour codes and combining marks take none, East Asian
 * characters two (Unicode annex 11, without its ambiguous ones).
 */
export function textWidth(text: string): number {
  const bare = text.includes('\u001b') ? text.replaceAll(COLOUR, '') : text;
  if (SIMPLE.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare) {
    if (TWO_COLUMNS.test(character)) width += 2;
    else if (!NO_COLUMN.test(character)) width += 1;
  }
  return width;
}

/** Columns of a terminal that a text of several lines takes. */
export function widestLine(text: string): number {
  return Math.max(...text.split('\n').map(textWidth));
}

/**
 * Breaks a paragraph at spaces to a width; lines after the first are indented. A word that is
 * wider than a line stays whole.
 * A paragraph with lines of its own (a JSON block) is left alone.
 */
export function fill(paragraph: string, columns: number, indent: string): string {
  if (paragraph.includes('\n')) return paragraph;
  const lines: string[] = [];
  let line = '';
  let width = 0;
  for (const word of wordsOf(paragraph)) {
    const size = textWidth(word);
    if (line !== '' && width + 1 + size > columns - indent.length) {
      lines.push(line);
      line = word;
      width = size;
    } else {
      line = line === '' ? word : `${line} ${word}`;
      width += line === word ? size : size + 1;
    }
  }
  return [...lines, line].join(`\n${indent}`);
}

/** `6 %` stays in one piece. */
function wordsOf(paragraph: string): string[] {
  return paragraph
    .replaceAll(/(?<=\d) %/g, '\u00a0%')
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => word.replaceAll('\u00a0%', ' %'));
}

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

import wrapAnsi from 'wrap-ansi';

/**
 * Breaks a paragraph at spaces to a width; lines after the first are indented.
 * A paragraph with lines of its own (a JSON block) is left alone.
 */
export function fill(paragraph: string, columns: number, indent: string): string {
  if (paragraph.includes('\n')) return paragraph;
  // `6 %` stays in one piece.
  const glued = paragraph.replaceAll(/(?<=\d) %/g, '\u00a0%');
  const filled = wrapAnsi(glued, columns - indent.length).replaceAll('\n', `\n${indent}`);
  return filled.replaceAll('\u00a0%', ' %');
}

import { textWidth } from './width.js';

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

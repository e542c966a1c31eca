import { printable } from '../format.js';

/** Text that Markdown, HTML and GitHub's mentions leave alone. */
export function plain(text: string): string {
  return (
    printable(text)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll(/[\\`*_[\]|~]/g, '\\$&')
      // A zero-width joiner keeps a name in a config from calling a person.
      .replaceAll('@', '@\u200d')
  );
}

/** A code span, also in a table's cell; backticks and bars in it would end it. */
export function code(text: string): string {
  return `\`${printable(text).replaceAll('`', 'ˋ').replaceAll('|', '\\|')}\``;
}

/** A GitHub table; the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => (i === 0 ? ':--' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

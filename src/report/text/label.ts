import { printable } from '../format.js';

/** Longer labels are wrapped: `as-configured` fits. */
const WIDTH = 13;
const LINES = 4;

/** A candidate's name as a cell of a narrow column. */
export function wrapLabel(label: string): string {
  const text = printable(label);
  const lines = text.match(new RegExp(`.{1,${WIDTH}}`, 'gu')) ?? [text];
  // A JSON object can be of any length; every file form prints it whole.
  if (lines.length <= LINES) return lines.join('\n');
  return [...lines.slice(0, LINES - 1), '…'].join('\n');
}

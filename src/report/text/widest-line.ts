import { textWidth } from './width.js';

/** Columns of a terminal that a text of several lines takes. */
export function widestLine(text: string): number {
  return Math.max(...text.split('\n').map(textWidth));
}

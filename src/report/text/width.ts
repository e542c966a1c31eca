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

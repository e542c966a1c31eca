import { CANDIDATE_GLYPHS, REFERENCE_GLYPH, type PlotStyle } from './canvas.js';

/** `o reference   a yarn:4   b linear:4`, broken into lines of at most `width`. */
export function legendLines(
  labels: readonly string[],
  width: number,
  indent: string,
  style: PlotStyle,
): string[] {
  const entries = labels.map((label, index) => ({
    glyph: seriesGlyph(index),
    role: index === 0 ? ('reference' as const) : ('candidate' as const),
    label: label.slice(0, width - indent.length - 2),
  }));
  const lines: string[] = [];
  let line = indent;
  let length = indent.length;
  for (const { glyph, role, label } of entries) {
    const size = glyph.length + 1 + label.length;
    if (length > indent.length && length + 3 + size > width) {
      lines.push(line);
      line = indent;
      length = indent.length;
    }
    const gap = length > indent.length ? '   ' : '';
    line += `${gap}${style(glyph, role)} ${label}`;
    length += gap.length + size;
  }
  return [...lines, line];
}

/** The first series is the reference. */
export function seriesGlyph(index: number): string {
  return index === 0
    ? REFERENCE_GLYPH
    : (CANDIDATE_GLYPHS[(index - 1) % CANDIDATE_GLYPHS.length] as string);
}

import type { ChalkInstance } from 'chalk';
import { percent, shortTokens } from '../format.js';
import type { CandidateReport } from '../schema.js';
import { heatmapOf } from '../view.js';

const BARS = '▁▂▃▄▅▆▇█';
const ROW_LABEL = 9;

/**
 * Accuracy by length and distance as bars with numbers: readable without colour and by ear.
 */
export function textHeatmap(
  candidate: CandidateReport,
  columns: number,
  paint: ChalkInstance,
): readonly string[] {
  const heatmap = heatmapOf(candidate);
  if (heatmap === undefined) return [];
  // A bar, a number and a space where they fit, otherwise the number alone.
  const roomy = ROW_LABEL + heatmap.bins.length * 6 <= columns;
  const width = roomy ? 6 : 4;
  const rows = heatmap.rows.map(({ rung, cells }) => {
    const label = shortTokens(rung.tokens).padStart(ROW_LABEL - 1);
    return `${label} ${cells.map((cell) => drawCell(cell, roomy, width, paint)).join('')}`.trimEnd();
  });
  const span = heatmap.bins.length * width;
  const axis = 'near'.padEnd(Math.max(5, span - 7)) + 'far';
  return [...rows, `${' '.repeat(ROW_LABEL)}  ${axis.trimEnd()}`];
}

function drawCell(
  share: number | null,
  roomy: boolean,
  width: number,
  paint: ChalkInstance,
): string {
  if (share === null) return '–'.padStart(width - 1).padEnd(width);
  const number = percent(share).replace(' %', '').padStart(3);
  const bar = BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))] ?? '';
  const color = share >= 0.75 ? paint.green : share >= 0.5 ? paint.yellow : paint.red;
  return `${color(roomy ? `${bar}${number}` : number)}${' '.repeat(width - (roomy ? 4 : 3))}`;
}

import type { CandidateReport, Needle, Report } from './schema/report.js';

/**
 * What every reporter looks up in a report: no number is computed here, and no word is chosen.
 */

/** The lengths a summary shows: 1x, 2x and the target. */
export function summaryLengths(report: Report): readonly number[] {
  const window = report.reference.trainedWindow;
  const wanted = [window, 2 * window, report.target.tokens];
  return [...new Set(wanted)].filter((length) => length <= report.target.tokens);
}

/** The rung at a length in tokens; lengths are rounded to whole tokens on the way. */
export function rungAt<Rung extends { readonly tokens: number }>(
  { needle }: { readonly needle: readonly Rung[] },
  length: number,
): Rung | undefined {
  return needle.find((rung) => Math.abs(rung.tokens - length) <= 1);
}

/** The candidate whose picture is worth showing first. */
export function featured(report: Report): CandidateReport | undefined {
  const label = report.recommendation.candidate;
  return (
    report.candidates.find((candidate) => candidate.label === label) ??
    report.candidates.find((candidate) => candidate.needle.length > 0)
  );
}

/** Accuracy by length and distance, longest length last; null where nothing was asked. */
export interface Heatmap {
  readonly rows: readonly { readonly rung: Needle; readonly cells: readonly (number | null)[] }[];
  /** Distance bins as shares of the length, nearest first. */
  readonly bins: readonly { readonly from: number; readonly to: number }[];
}

export function heatmapOf(candidate: CandidateReport): Heatmap | undefined {
  const rows = [...candidate.needle]
    .filter((rung) => rung.byDistance.length > 0)
    .sort((a, b) => a.tokens - b.tokens)
    .map((rung) => ({
      rung,
      cells: rung.byDistance.map(({ correct, total }) => (total > 0 ? correct / total : null)),
    }));
  const first = rows[0];
  return first && { rows, bins: first.rung.byDistance };
}

import type { PerContext } from '../report/per-context-schema.js';
import type { Report } from '../report/schema.js';
import { cellsOf } from './cells.js';

/** Rows are rounded to five decimals; a cell that differs by more was not made of them. */
const ROUNDING = 1e-4;

/**
 * Whether a report's data per context can be paired: rows as long as their counts, and sums from
 * which the report's own cells follow.
 *
 * @returns what is wrong with it, in words; undefined: nothing
 */
export function perContextDefect(report: Report): string | undefined {
  const { perContext } = report;
  if (!perContext) return undefined;
  const uneven = perContext.candidates.find((candidate) => !fits(candidate, perContext.counts));
  if (uneven) return `perContext: the rows of ${uneven.label} do not fit those of counts`;
  const odd = cellsOf(report).find(({ interval, sample }) => {
    if (!sample) return false;
    const all = Array.from({ length: sample.size }, (_, context) => context);
    return !(Math.abs(sample.at(all) - interval.value) <= ROUNDING);
  });
  return odd && `perContext: ${odd.name} of ${odd.candidate} does not follow from its rows`;
}

function fits(
  { short, needle, local }: PerContext['candidates'][number],
  counts: PerContext['counts'],
): boolean {
  const pairs = [short, ...local].flatMap(({ facts, copies, copyLoss, textLoss }) => [
    [facts, counts.facts],
    [copies, counts.copies],
    [copyLoss, counts.copies],
    [textLoss, counts.text],
  ]);
  const most = length(counts.needle[0]?.[0] ?? '');
  const size = length(needle[0]?.[0] ?? '');
  return (
    pairs.every(([row, count]) => length(row!) === length(count!)) &&
    needle.length === counts.needle.length &&
    needle.every((rung, r) => rung.length === counts.needle[r]!.length) &&
    size <= most &&
    needle.flat().every((row) => length(row) === size) &&
    counts.needle.flat().every((row) => length(row) === most)
  );
}

function length(row: string): number {
  return row.split(' ').length;
}

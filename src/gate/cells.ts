import { differenceOf } from './interval.js';
import type { CandidateReport, Interval, Report, Short } from '../report/schema.js';

/** One measured number of a report, with a name that is stable between reports. */
export interface Cell {
  readonly candidate: string;
  readonly name: string;
  readonly better: 'higher' | 'lower';
  readonly interval: Interval;
}

const SHORT_CELLS: readonly (readonly [
  'accuracyChange' | 'lossChange' | 'copyAccuracyChange' | 'copyLossChange',
  Cell['better'],
])[] = Object.freeze([
  ['accuracyChange', 'higher'],
  ['lossChange', 'lower'],
  ['copyAccuracyChange', 'higher'],
  ['copyLossChange', 'lower'],
]);

/** Every cell of a report, in report order. */
export function cellsOf(report: Report): readonly Cell[] {
  return report.candidates.flatMap(candidateCells);
}

function candidateCells(candidate: CandidateReport): Cell[] {
  const { label, needle, reach, short, local } = candidate;
  return [
    ...needle.map((rung) => ({
      candidate: label,
      name: `needle@${rung.tokens}`,
      better: 'higher' as const,
      interval: rung.accuracy,
    })),
    ...(reach
      ? [
          {
            candidate: label,
            name: 'reach',
            better: 'higher' as const,
            // A multiple of the trained window, so that it also reads across models.
            interval: { value: reach.multiple, low: reach.low, high: reach.high },
          },
        ]
      : []),
    ...(short ? shortCells(label, short, '') : []),
    ...local.flatMap((each) => shortCells(label, each.short, ` (${each.layerType})`)),
  ];
}

function shortCells(candidate: string, short: Short, part: string): Cell[] {
  return SHORT_CELLS.map(([name, better]) => ({
    candidate,
    name: `short.${name}${part}`,
    better,
    interval: short[name],
  }));
}

/** One cell in two reports. */
export interface CellPair {
  readonly candidate: string;
  /** `needle@131072`, `short.lossChange (sliding_attention)`. */
  readonly cell: string;
  readonly before: Interval;
  readonly after: Interval;
  /** `after - before`, from the two intervals: wider than the truth, so a regression is real. */
  readonly change: Interval;
}

export function pairOf({ candidate, name, interval: before }: Cell, after: Cell): CellPair {
  const change = differenceOf(after.interval, before);
  return { candidate, cell: name, before, after: after.interval, change };
}

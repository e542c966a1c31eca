import { differenceOf } from './interval.js';
import { pairedChange, samplesOf, type Sample, type ShortSamples } from './paired.js';
import type { CandidateReport, Interval, Report, Short } from '../report/schema.js';

/** Changes smaller than this are arithmetic: another thread count, another CPU. */
export const NOISE = 1e-6;

/** One measured number of a report, with a name that is stable between reports. */
export interface Cell {
  readonly candidate: string;
  readonly name: string;
  readonly better: 'higher' | 'lower';
  readonly interval: Interval;
  /** Absent where the report has no data per context. */
  readonly sample?: Sample | undefined;
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
  return report.candidates.flatMap((candidate) => candidateCells(report, candidate));
}

function candidateCells(report: Report, candidate: CandidateReport): Cell[] {
  const { label, needle, reach, short, local } = candidate;
  const samples = samplesOf(report, candidate);
  return [
    ...needle.map((rung, r) => ({
      candidate: label,
      name: `needle@${rung.tokens}`,
      better: 'higher' as const,
      interval: rung.accuracy,
      sample: samples?.needle[r],
    })),
    ...(reach
      ? [
          {
            candidate: label,
            name: 'reach',
            better: 'higher' as const,
            // A multiple of the trained window, so that it also reads across models.
            interval: { value: reach.multiple, low: reach.low, high: reach.high },
            sample: samples?.reach,
          },
        ]
      : []),
    ...(short ? shortCells(label, short, '', samples?.short) : []),
    ...local.flatMap((each) =>
      shortCells(label, each.short, ` (${each.layerType})`, samples?.local[each.layerType]),
    ),
  ];
}

function shortCells(
  candidate: string,
  short: Short,
  part: string,
  samples: ShortSamples | undefined,
): Cell[] {
  return SHORT_CELLS.map(([name, better]) => ({
    candidate,
    name: `short.${name}${part}`,
    better,
    interval: short[name],
    sample: samples?.[name],
  }));
}

/** One cell in two reports. */
export interface CellPair {
  readonly candidate: string;
  /** `needle@131072`, `short.lossChange (sliding_attention)`. */
  readonly cell: string;
  readonly before: Interval;
  readonly after: Interval;
  /** `after - before`. */
  readonly change: Interval;
  /**
   * What the interval of the change was made of: the contexts that both runs share, or the two
   * intervals, which makes it wider than the truth.
   */
  readonly method: 'contexts' | 'intervals';
}

export function pairOf(before: Cell, after: Cell): CellPair {
  const paired = pairedChange(before.sample, after.sample);
  return {
    candidate: before.candidate,
    cell: before.name,
    before: before.interval,
    after: after.interval,
    change: paired ?? differenceOf(after.interval, before.interval),
    method: paired ? 'contexts' : 'intervals',
  };
}

import { z } from 'zod';
import type { CandidateReport, Interval, Report } from '../report/schema/report.js';
import { differenceOf } from './interval.js';
import {
  METRIC_NAMES,
  type MetricName,
  METRICS,
  pairedChange,
  type Sample,
  samplesOf,
} from './metrics.js';

/** How the interval of a change between two reports was made. */
export const MethodSchema = z
  .enum(['contexts', 'intervals'])
  .describe(
    'contexts: a bootstrap over the contexts that both runs share; intervals: the two saved ' +
      'intervals alone, after.low - before.high to after.high - before.low, which is wider.',
  );

/** Changes smaller than this are arithmetic: another thread count, another CPU. */
export const NOISE = 1e-6;

/** Which number of a report: the same in every report of the same conditions. */
export interface CellKey {
  readonly candidate: string;
  readonly metric: MetricName;
  /** Tokens, where the metric is measured at several lengths. */
  readonly at?: number | undefined;
  /** Layer type, where it is measured on each kind of layer. */
  readonly part?: string | undefined;
}

/** One measured number of a report. */
export interface Cell extends CellKey {
  readonly interval: Interval;
  /** Absent where the report has no data per context. */
  readonly sample?: Sample | undefined;
}

/** Every cell of a report, in report order: a candidate's global layers, then its local ones. */
export function cellsOf(report: Report): readonly Cell[] {
  return report.candidates.flatMap((candidate) => candidateCells(report, candidate));
}

function candidateCells(report: Report, candidate: CandidateReport): Cell[] {
  const samples = samplesOf(report, candidate);
  const cells = METRIC_NAMES.flatMap((metric) =>
    METRICS[metric]
      .cells({ report, candidate, samples })
      .map((cell): Cell => ({ ...cell, candidate: candidate.label, metric })),
  );
  const parts = [undefined, ...candidate.local.map(({ layerType }) => layerType)];
  return parts.flatMap((part) => cells.filter((cell) => cell.part === part));
}

/** A cell as people and JSON name it. */
export const CellNameSchema = z.strictObject({
  candidate: z.string(),
  cell: z.string().describe('`needle@131072`, `short.lossChange (sliding_attention)`.'),
});

export type CellName = Readonly<z.infer<typeof CellNameSchema>>;

/** @param length how a number of tokens is written; default: as it is */
export function cellName(
  { metric, at, part }: Omit<CellKey, 'candidate'>,
  length: (tokens: number) => string = String,
): string {
  return `${metric}${at === undefined ? '' : `@${length(at)}`}${part === undefined ? '' : ` (${part})`}`;
}

/** Cells by candidate and name. */
export class CellIndex<T> {
  readonly #cells = new Map<string, CellName & { readonly value: T }>();

  set(name: CellName, value: T): void {
    this.#cells.set(JSON.stringify([name.candidate, name.cell]), { ...name, value });
  }

  get({ candidate, cell }: CellName): T | undefined {
    return this.#cells.get(JSON.stringify([candidate, cell]))?.value;
  }

  entries(): readonly (CellName & { readonly value: T })[] {
    return [...this.#cells.values()];
  }
}

/** One cell in two reports. */
export interface CellPair extends CellName {
  readonly before: Interval;
  readonly after: Interval;
  /** `after - before`. */
  readonly change: Interval;
  /**
   * What the interval of the change was made of: the contexts that both runs share, or the two
   * intervals, which makes it wider than the truth.
   */
  readonly method: z.infer<typeof MethodSchema>;
}

/** @param cell what the pair is called */
export function pairOf(before: Cell, after: Cell, cell: string): CellPair {
  const paired = pairedChange(before.sample, after.sample);
  return {
    candidate: before.candidate,
    cell,
    before: before.interval,
    after: after.interval,
    change: paired ?? differenceOf(after.interval, before.interval),
    method: paired ? 'contexts' : 'intervals',
  };
}

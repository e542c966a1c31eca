import { z } from 'zod';
import {
  type CandidateReport,
  type Interval,
  IntervalSchema,
  type Report,
} from '../report/schema/report.js';
import {
  METRIC_NAMES,
  type MetricCell,
  type MetricName,
  METRICS,
  pairedChange,
  samplesOf,
} from './metrics.js';

export type Operator = '>=' | '<=' | '>' | '<';

export type Outcome = 'pass' | 'fail' | 'unverifiable';

/** Values this close count as equal, so that a verdict never depends on the last bit of a float. */
const RELATIVE_SLACK = 1e-9;

/** Advice never asks for more samples than this, which take a CPU about an hour. */
const MOST_SAMPLES = 1000;

/**
 * Compares an interval with a threshold: pass if every value of the interval satisfies the rule,
 * fail if none does, and otherwise unverifiable, because the measurement cannot decide.
 */
export function judge(found: Interval, operator: Operator, threshold: number): Outcome {
  const low = satisfies(found.low, operator, threshold);
  const high = satisfies(found.high, operator, threshold);
  if (low && high) return 'pass';
  return low || high ? 'unverifiable' : 'fail';
}

/** Whether a value satisfies a rule. Differences in the last bits of a float are ignored. */
export function satisfies(value: number, operator: Operator, threshold: number): boolean {
  const slack = RELATIVE_SLACK * Math.max(1, Math.abs(threshold));
  if (operator === '>=') return value >= threshold - slack;
  if (operator === '<=') return value <= threshold + slack;
  return operator === '>' ? value > threshold + slack : value < threshold - slack;
}

/**
 * Estimates how many samples would decide a rule whose interval contains the threshold. An interval
 * shrinks with the square root of the sample size, and its half on the threshold's side must become
 * shorter than the distance to the threshold.
 *
 * @param samples behind the interval
 * @returns null if no practical number would decide, because the value is too close to the
 *   threshold
 */
export function samplesToDecide(
  found: Interval,
  threshold: number,
  samples: number,
): number | null {
  const distance = Math.abs(found.value - threshold);
  const half = found.value > threshold ? found.value - found.low : found.high - found.value;
  if (!(distance > 0) || !(samples > 0) || !Number.isFinite(half)) return null;
  const needed = Math.ceil(samples * (half / distance) ** 2);
  return needed > MOST_SAMPLES ? null : Math.max(needed, samples + 1);
}

/**
 * Bounds `later - earlier` by the two intervals alone. The result is wider than necessary for
 * paired measurements, because what they have in common cannot be removed afterwards.
 */
export function differenceOf(later: Interval, earlier: Interval): Interval {
  return {
    value: later.value - earlier.value,
    low: later.low - earlier.high,
    high: later.high - earlier.low,
  };
}

/** How the interval of a change between two reports was computed. */
const MethodSchema = z
  .enum(['contexts', 'intervals'])
  .describe(
    'contexts: a bootstrap over the contexts that both runs share; intervals: the two saved ' +
      'intervals alone, after.low - before.high to after.high - before.low, which is wider.',
  );

/** Smaller changes come from floating-point arithmetic, which varies with threads and CPUs. */
export const NOISE = 1e-6;

/** One measured number of a report. Reports with the same conditions have the same cells. */
export interface ReportCell extends MetricCell {
  readonly candidate: string;
  readonly metric: MetricName;
}

/** All cells of a report in its order: a candidate's global layers first, then its local ones. */
export function cellsOf(report: Report): readonly ReportCell[] {
  return report.candidates.flatMap((candidate) => candidateCells(report, candidate));
}

function candidateCells(report: Report, candidate: CandidateReport): ReportCell[] {
  const samples = samplesOf(report, candidate);
  const cells = METRIC_NAMES.flatMap((metric) =>
    METRICS[metric]
      .cells({ report, candidate, samples })
      .map((cell): ReportCell => ({ ...cell, candidate: candidate.label, metric })),
  );
  const parts = [undefined, ...candidate.local.map(({ layerType }) => layerType)];
  return parts.flatMap((part) => cells.filter((cell) => cell.part === part));
}

/** The name of a cell in messages and JSON. */
export const CellNameSchema = z.strictObject({
  candidate: z.string(),
  cell: z.string().describe('`needle@131072`, `short.lossChange (sliding_attention)`.'),
});

export type CellName = Readonly<z.infer<typeof CellNameSchema>>;

/**
 * Names a cell, such as `needle@131072`.
 *
 * @param length formats a number of tokens; default: the plain number
 */
export function cellName(
  { metric, at, part }: Pick<ReportCell, 'metric' | 'at' | 'part'>,
  length: (tokens: number) => string = String,
): string {
  const where = at === undefined ? '' : `@${length(at)}`;
  return `${metric}${where}${part === undefined ? '' : ` (${part})`}`;
}

/** A cell in two reports, and its change between them. */
export const ChangeSchema = z.strictObject({
  before: IntervalSchema,
  after: IntervalSchema,
  change: IntervalSchema.describe('after - before.'),
  method: MethodSchema,
});

export type CellPair = CellName & Readonly<z.infer<typeof ChangeSchema>>;

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

/** @param cell the name of the pair */
export function pairOf(before: ReportCell, after: ReportCell, cell: string): CellPair {
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

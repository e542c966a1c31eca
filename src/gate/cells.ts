import { z } from 'zod';
import { type BinnedFacts, lastRung } from '../probes/reach.js';
import { average, bootstrap, type Cluster, mean, resamples } from '../probes/statistics.js';
import type {
  CandidateReport,
  Interval,
  PerContext,
  Report,
  Short,
  ShortRows,
} from '../report/schema/report.js';
import { differenceOf } from './interval.js';

/** How the interval of a change between two reports was made. */
export const MethodSchema = z
  .enum(['contexts', 'intervals'])
  .describe(
    'contexts: a bootstrap over the contexts that both runs share; intervals: the two saved ' +
      'intervals alone, after.low - before.high to after.high - before.low, which is wider.',
  );

/** A cell's value on any draw of a run's contexts. */
export interface Sample {
  /** Which contexts: samples pair only on the same. */
  readonly contexts: string;
  readonly size: number;
  readonly seed: number;
  readonly at: (drawn: readonly number[]) => number;
}

/**
 * Fewer contexts than this show nothing in pairs: even where all of them got worse, chance does
 * that in more than one of twenty cases (two-sided sign test: 2^-4 for five, 2^-5 for six).
 */
const FEWEST = 6;

/**
 * `after - before` with its 95 % interval by a bootstrap over the contexts that both runs share.
 *
 * @returns undefined where the samples do not pair
 */
export function pairedChange(
  before: Sample | undefined,
  after: Sample | undefined,
): Interval | undefined {
  if (!before || !after) return undefined;
  if (before.contexts !== after.contexts) return undefined;
  // One of them may have been given further contexts; the first ones are the same.
  const size = Math.min(before.size, after.size);
  if (size < FEWEST) return undefined;
  const draws = resamples(size, after.seed);
  return bootstrap((drawn) => after.at(drawn) - before.at(drawn), size, draws);
}

export interface CandidateSamples {
  /** By index into `needle`. */
  readonly needle: readonly Sample[];
  readonly reach: Sample;
  readonly short: ShortSamples;
  readonly local: Readonly<Record<string, ShortSamples>>;
}

export type ShortSamples = Readonly<
  Record<'accuracyChange' | 'lossChange' | 'copyAccuracyChange' | 'copyLossChange', Sample>
>;

/** @returns undefined where the report says nothing about single contexts */
export function samplesOf(
  { perContext, settings }: Report,
  { label, needle: rungs }: CandidateReport,
): CandidateSamples | undefined {
  const own = perContext?.candidates.find((each) => each.label === label);
  // The reference is always the first.
  const reference = perContext?.candidates[0];
  if (!own || !reference) return undefined;
  const { counts, sha256: contexts } = perContext;
  const sample = (size: number, at: Sample['at']): Sample => {
    return { contexts, size, seed: settings.seed, at };
  };
  const home = Math.max(
    0,
    rungs.findIndex((rung) => rung.multiple === 1),
  );
  const facts = binned(own.needle, counts.needle);
  const base = average(pooled(binned(reference.needle, counts.needle)[home] ?? []));
  const beyond = rungs.slice(home);
  return {
    needle: facts.map((bins) => {
      const list = pooled(bins);
      return sample(list.length, (drawn) => mean(list, drawn));
    }),
    reach: sample(
      facts[home]?.[0]?.length ?? 0,
      (drawn) => beyond[lastRung(facts.slice(home), base, drawn)]?.multiple ?? 0,
    ),
    short: shortSamples(own.short, reference.short, counts, sample),
    local: Object.fromEntries(
      own.local.map((each) => [
        each.layerType,
        shortSamples(each, reference.short, counts, sample),
      ]),
    ),
  };
}

function shortSamples(
  own: ShortRows,
  reference: ShortRows,
  counts: PerContext['counts'],
  sample: (size: number, at: Sample['at']) => Sample,
): ShortSamples {
  const change = (row: keyof ShortRows, count: string): Sample => {
    const [a, b] = [clusters(own[row], count), clusters(reference[row], count)];
    return sample(a.length, (drawn) => mean(a, drawn) - mean(b, drawn));
  };
  return {
    accuracyChange: change('facts', counts.facts),
    lossChange: change('textLoss', counts.text),
    copyAccuracyChange: change('copies', counts.copies),
    copyLossChange: change('copyLoss', counts.copies),
  };
}

function clusters(sums: string, counts: string): Cluster[] {
  const of = counts.split(' ').map(Number);
  return sums.split(' ').map((sum, i) => ({ sum: Number(sum), count: of[i] ?? 0 }));
}

function binned(
  sums: readonly (readonly string[])[],
  counts: readonly (readonly string[])[],
): BinnedFacts {
  return sums.map((bins, r) => bins.map((sum, b) => clusters(sum, counts[r]?.[b] ?? '')));
}

/** All distances of one rung together. */
function pooled(bins: BinnedFacts[number]): Cluster[] {
  const size = bins[0]?.length ?? 0;
  return Array.from({ length: size }, (_, c) =>
    bins.reduce((all, bin) => ({ sum: all.sum + bin[c]!.sum, count: all.count + bin[c]!.count }), {
      sum: 0,
      count: 0,
    }),
  );
}

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

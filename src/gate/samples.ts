import { type BinnedFacts, lastRung } from '../probes/reach.js';
import { average, bootstrap, type Cluster, mean, resamples } from '../probes/statistics.js';
import type {
  CandidateReport,
  Interval,
  PerContext,
  Report,
  ShortRows,
} from '../report/schema/report.js';

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

/** The samples behind one candidate's cells. */
export interface CandidateSamples {
  /** Needle accuracy at a rung, by its index in the report's `needle`. */
  readonly needle: (rung: number) => Sample;
  readonly reach: () => Sample;
  /**
   * Candidate - reference of one row of the short probes.
   *
   * @param counts what the row's sums are of
   * @param part layer type; undefined = the global layers
   */
  readonly change: (
    row: keyof ShortRows,
    counts: Exclude<keyof PerContext['counts'], 'needle'>,
    part?: string,
  ) => Sample | undefined;
}

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
  const home = rungs.findIndex((rung) => rung.multiple === 1);
  // Reach is judged from 1x on: without it nothing pairs.
  if (home < 0) return undefined;
  const facts = binned(own.needle, counts.needle);
  return {
    needle: (rung) => {
      const list = pooled(facts[rung] ?? []);
      return sample(list.length, (drawn) => mean(list, drawn));
    },
    reach: () => {
      const base = average(pooled(binned(reference.needle, counts.needle)[home] ?? []));
      const beyond = rungs.slice(home);
      const size = facts[home]?.[0]?.length ?? 0;
      const last = (drawn: readonly number[]): number => lastRung(facts.slice(home), base, drawn);
      return sample(size, (drawn) => beyond[last(drawn)]?.multiple ?? 0);
    },
    change: (row, count, part) => {
      const rows = part === undefined ? own.short : own.local.find((l) => l.layerType === part);
      if (rows === undefined) return undefined;
      const [a, b] = [
        clusters(rows[row], counts[count]),
        clusters(reference.short[row], counts[count]),
      ];
      return sample(a.length, (drawn) => mean(a, drawn) - mean(b, drawn));
    },
  };
}

function clusters(sums: string, counts: string): Cluster[] {
  const of = counts.split(' ').map(Number);
  return sums.split(' ').map((sum, i) => ({ sum: Number(sum), count: of[i] ?? NaN }));
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

import { type Cluster, mean, percentiles, wilson } from './measure.js';

/** (rungs, distance bins, contexts) facts found, from 1x on. */
export type BinnedFacts = readonly (readonly (readonly Cluster[])[])[];

export interface ReachResult {
  /** Index of the last rung that holds, contiguous from 1x; -1: none. */
  readonly rung: number;
  /** Rung positions on the ladder, 95 % over contexts; -1: none. */
  readonly low: number;
  readonly high: number;
}

/**
 * The last rung, contiguous from the first, at which every distance bin keeps at least half of the
 * reference's accuracy at 1x; -1: none.
 *
 * @param bins the candidate's facts
 * @param base the reference's accuracy at 1x: a yardstick, whose own uncertainty is left out
 * @param contexts drawn contexts
 */
export function lastRung(bins: BinnedFacts, base: number, contexts: readonly number[]): number {
  // A reference that finds nothing is no yardstick: half of nothing holds everywhere.
  if (!(base > 0)) return -1;
  const enough = base / 2;
  return lastWhere(
    bins,
    // A resample may leave a bin empty: nothing is known of it then.
    (bin) => !asked(bin, contexts) || mean(bin, contexts) >= enough,
  );
}

function asked(bin: readonly Cluster[], contexts: readonly number[]): boolean {
  return contexts.some((c) => bin[c]!.count > 0);
}

function lastWhere(bins: BinnedFacts, holds: (bin: readonly Cluster[]) => boolean): number {
  const failing = bins.findIndex((rung) => !rung.every(holds));
  return (failing < 0 ? bins.length : failing) - 1;
}

/**
 * Reach with its interval: the bootstrap's over contexts, widened to where Wilson's interval of
 * every bin still allows the rung to hold. Few contexts that agree have resamples that agree too,
 * and the bootstrap alone would call that certain.
 */
export function reach(
  bins: BinnedFacts,
  base: number,
  draws: readonly (readonly number[])[],
): ReachResult {
  const all = (bins[0]?.[0] ?? []).map((_, c) => c);
  const { value, low, high } = percentiles(
    lastRung(bins, base, all),
    draws.map((contexts) => lastRung(bins, base, contexts)),
  );
  if (!(base > 0)) return { rung: -1, low: -1, high: bins.length - 1 };
  const enough = base / 2;
  return {
    rung: value,
    low: Math.min(
      Math.floor(low),
      // What was never asked may be lost as well as found.
      lastWhere(bins, (bin) => asked(bin, all) && wilson(bin).low >= enough),
    ),
    high: Math.max(
      Math.ceil(high),
      lastWhere(bins, (bin) => !asked(bin, all) || wilson(bin).high >= enough),
    ),
  };
}

/** Perplexities clearly differ where one is more than this many times the other. */
const CLEAR = Math.log(1.1);

/**
 * Nats that one unit of mean ln excess over the trained angles costs LLaMA 7B: the formula's
 * weight (docs/validation.md, "The rival").
 */
const NATS_PER_EXCESS = 12;

/**
 * The last value, contiguous from the first, that is not more than `limit` above the first.
 *
 * @throws RangeError where one of them is no number: it would pass for a length that holds
 */
function lastWithin(values: readonly number[], limit: number): number {
  const unknown = values.findIndex((x) => !Number.isFinite(x));
  if (unknown >= 0) throw new RangeError(`value ${unknown + 1} of ${values.length} is no number`);
  const beyond = values.findIndex((x) => x > values[0]! + limit);
  return beyond < 0 ? values.length - 1 : beyond - 1;
}

/**
 * Reach by loss: the last length, contiguous from the first, at which perplexity is not clearly above
 * what it is at the first.
 *
 * @param losses nats, by ascending length
 * @returns its index
 */
export function lastWithinLoss(losses: readonly number[]): number {
  return lastWithin(losses, CLEAR);
}

/**
 * Reach by the exact angles: the last length at which what leaves the trained range costs no clear
 * part of perplexity.
 *
 * @param excess mean ln excess over the trained angles, by ascending length
 * @returns its index
 */
export function lastInRange(excess: readonly number[]): number {
  return lastWithin(excess, CLEAR / NATS_PER_EXCESS);
}

/**
 * What the seeds of a probe model, its neighbours in the family and other contexts make of one reach,
 * either way, as a share of it (docs/validation.md, "Reach").
 */
const SPREAD = 1 / 8;

/** Three readings of one reach, as window multiples. */
export interface Readings {
  /** Above 0. */
  readonly facts: number;
  readonly loss: number;
  /** undefined: the angles stay in range to the end of the ladder. */
  readonly angles: number | undefined;
}

/**
 * Where the reach of a model is expected. A model needs its facts and its language, so the shorter of
 * the two counts; a probe outlasts its trained angles more than a real model does, so the middle of
 * that and of where the angles end is taken, with what seeds and members differ by.
 */
export function expectedReach({ facts, loss, angles }: Readings): { low: number; high: number } {
  const probe = Math.min(facts, loss);
  const middle = Math.sqrt(probe * (angles ?? probe));
  return { low: middle * (1 - SPREAD), high: middle * (1 + SPREAD) };
}

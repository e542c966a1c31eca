import { type Cluster, mean, percentiles, wilson } from './measure.js';

/** (rungs, distance bins, contexts) the facts found, from 1x on. */
export type BinnedFacts = readonly (readonly (readonly Cluster[])[])[];

/** How far a scaling holds, by facts. */
export interface ReachResult {
  /** The index of the last rung that holds, without a gap from 1x on; -1: none. */
  readonly rung: number;
  /** The 95 % interval over contexts, as rung indices; -1: none. */
  readonly low: number;
  readonly high: number;
}

/**
 * Returns the last rung, without a gap from the first on, at which every distance bin keeps at
 * least half of the reference's accuracy at 1x; -1: none.
 *
 * @param bins the candidate's facts
 * @param base the reference's accuracy at 1x; a fixed yardstick, whose own uncertainty is ignored
 * @param contexts drawn contexts
 */
export function lastRung(bins: BinnedFacts, base: number, contexts: readonly number[]): number {
  // A reference that finds nothing cannot be a yardstick, because everything holds half of nothing.
  if (!(base > 0)) return -1;
  const enough = base / 2;
  return lastWhere(
    bins,
    // A resample may leave a bin empty, which tells nothing about it.
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
 * Computes reach with its interval. It is the bootstrap's over contexts, widened to every rung that
 * Wilson's intervals of its bins still allow. If a few contexts agree, their resamples agree too,
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
      // A bin that was never asked may be lost as well as found.
      lastWhere(bins, (bin) => asked(bin, all) && wilson(bin).low >= enough),
    ),
    high: Math.max(
      Math.ceil(high),
      lastWhere(bins, (bin) => !asked(bin, all) || wilson(bin).high >= enough),
    ),
  };
}

/**
 * Two perplexities differ clearly if their ratio exceeds 1.1. Losses are compared, so this is the
 * logarithm.
 */
const CLEAR = Math.log(1.1);

/**
 * The nats that one unit of mean ln excess over the trained angles costs LLaMA 7B. It is the weight
 * of the formula in docs/validation.md, "The rival".
 */
const NATS_PER_EXCESS = 12;

/**
 * Returns the index of the last value, without a gap from the first on, that is at most `limit`
 * above the first.
 *
 * @throws RangeError if any value is not a number, since it would pass for a length that holds
 */
function lastWithin(values: readonly number[], limit: number): number {
  const unknown = values.findIndex((x) => !Number.isFinite(x));
  if (unknown >= 0) throw new RangeError(`value ${unknown + 1} of ${values.length} is no number`);
  const beyond = values.findIndex((x) => x > values[0]! + limit);
  return beyond < 0 ? values.length - 1 : beyond - 1;
}

/**
 * Returns the reach by loss: the last length, without a gap from the first on, at which perplexity
 * is not clearly above that at the first.
 *
 * @param losses nats, by ascending length
 * @returns its index
 */
export function lastWithinLoss(losses: readonly number[]): number {
  return lastWithin(losses, CLEAR);
}

/**
 * Returns the reach by the exact angles: the last length at which leaving the trained range does
 * not clearly raise perplexity.
 *
 * @param excess mean ln excess over the trained angles, by ascending length
 * @returns its index
 */
export function lastInRange(excess: readonly number[]): number {
  return lastWithin(excess, CLEAR / NATS_PER_EXCESS);
}

/**
 * How much one reach varies in either direction, as a share of it, with the seed of the probe
 * model, its neighbours in the family and the contexts (docs/validation.md, "Reach").
 */
const SPREAD = 1 / 8;

/** Three measures of one reach, as window multiples. */
export interface Readings {
  /** Above 0. */
  readonly facts: number;
  readonly loss: number;
  /** undefined: the angles stay in range to the end of the ladder. */
  readonly angles: number | undefined;
}

/**
 * Estimates where a model's reach lies. A model needs both its facts and its language, so the
 * shorter reach counts. A probe outlasts its trained angles by more than a real model does, so the
 * estimate is the geometric mean of that reach and of where the angles end. The interval is how
 * much seeds and family members differ.
 */
export function expectedReach({ facts, loss, angles }: Readings): { low: number; high: number } {
  const probe = Math.min(facts, loss);
  const middle = Math.sqrt(probe * (angles ?? probe));
  return { low: middle * (1 - SPREAD), high: middle * (1 + SPREAD) };
}

import { mean, percentiles, wilson, type Cluster } from './statistics.js';

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

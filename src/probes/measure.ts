import type { Context } from './contexts.js';
import type { Kind } from './writer.js';
import { bootstrap, mean, type Cluster, type Interval } from './statistics.js';

/** What the engine said of one context's scored tokens, in the order of `Context.items`. */
export interface ContextScores {
  readonly logProbability: Float32Array;
  readonly correct: Uint8Array;
}

/** Scores of one scaling on a set of contexts, per rung: a scaling may depend on the length. */
export interface Measurement {
  readonly contexts: readonly Context[];
  /** (rung) → one entry per context. */
  readonly at: readonly (readonly ContextScores[])[];
}

export type Quantity = 'accuracy' | 'loss';

export interface Cell {
  readonly kind: Kind;
  readonly rungs: readonly number[];
  /** Facts: share of the rung's length, [from, to). */
  readonly distance?: readonly [number, number];
}

/**
 * Sums of one cell by context. Loss is in nats above what the source itself needs, so that hard
 * and easy passages of text compare.
 *
 * @param lengths the rungs in probe tokens
 */
export function clusters(
  measurement: Measurement,
  lengths: readonly number[],
  cell: Cell,
  quantity: Quantity,
): Cluster[] {
  return measurement.contexts.map((context, c) => {
    let sum = 0;
    let count = 0;
    context.items.forEach((item, i) => {
      if (item.kind !== cell.kind || !cell.rungs.includes(item.rung)) return;
      if (cell.distance) {
        const share = item.distance / lengths[item.rung]!;
        if (share < cell.distance[0] || share >= cell.distance[1]) return;
      }
      const scores = measurement.at[item.rung]![c]!;
      sum +=
        quantity === 'accuracy' ? scores.correct[i]! : -scores.logProbability[i]! - item.surprise;
      count++;
    });
    return { sum, count };
  });
}

/** Equal shares of a rung's length by which facts are binned, nearest first. */
export const DISTANCE_BINS: readonly (readonly [number, number])[] = Object.freeze(
  [0, 0.2, 0.4, 0.6, 0.8].map((from) => [from, from < 0.8 ? from + 0.2 : 1.01] as const),
);

/** (rungs, bins) accuracy by distance: what reach is judged by. */
export function accuracyByDistance(
  measurement: Measurement,
  lengths: readonly number[],
  rungs: readonly number[],
): Cluster[][][] {
  return rungs.map((rung) =>
    DISTANCE_BINS.map((distance) =>
      clusters(measurement, lengths, { kind: 'fact', rungs: [rung], distance }, 'accuracy'),
    ),
  );
}

export interface ReachResult {
  /** Index of the last rung that holds, contiguous from 1x; -1: none. */
  readonly rung: number;
  /** Rung positions on the ladder, 95 % over contexts; -1: none. */
  readonly low: number;
  readonly high: number;
}

/**
 * Reach: the last rung, contiguous from the first, at which every distance bin keeps at least
 * half of the reference's accuracy at 1x.
 *
 * @param bins (rungs, bins) clusters of the candidate's accuracy
 * @param base the reference's accuracy at 1x
 */
export function reach(
  bins: readonly (readonly Cluster[][])[],
  base: readonly Cluster[],
  draws: readonly (readonly number[])[],
): ReachResult {
  const last = (contexts: readonly number[]): number => {
    const enough = mean(base, contexts) / 2;
    const failing = bins.findIndex((rung) =>
      // A resample may leave a bin empty: nothing is known of it then.
      rung.some((bin) => contexts.some((c) => bin[c]!.count > 0) && mean(bin, contexts) < enough),
    );
    return (failing < 0 ? bins.length : failing) - 1;
  };
  const interval: Interval = bootstrap(last, base.length, draws);
  return { rung: interval.value, low: Math.floor(interval.low), high: Math.ceil(interval.high) };
}

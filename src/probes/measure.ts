import type { Context, Kind } from './contexts.js';
import type { Cluster } from './statistics.js';

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
  /** Nats of a real model that one nat of the language's loss stands for; 1: they are such nats. */
  readonly lossScale: number;
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
 * and easy passages of text compare; that of the language times `lossScale`.
 */
export function clusters(measurement: Measurement, cell: Cell, quantity: Quantity): Cluster[] {
  const sums = sumsByContext(measurement, cell, quantity);
  if (quantity !== 'loss' || cell.kind !== 'language') return sums;
  return sums.map(({ sum, count }) => ({ sum: measurement.lossScale * sum, count }));
}

/** The same in the nats of the subject's own language. */
function sumsByContext(measurement: Measurement, cell: Cell, quantity: Quantity): Cluster[] {
  return measurement.contexts.map((context, c) => {
    let sum = 0;
    let count = 0;
    context.items.forEach((item, i) => {
      if (item.kind !== cell.kind || !cell.rungs.includes(item.rung)) return;
      if (cell.distance) {
        if (item.share < cell.distance[0] || item.share >= cell.distance[1]) return;
      }
      const scores = measurement.at[item.rung]?.[c];
      // What was not scored is NaN, which no statistic takes for a value.
      sum +=
        quantity === 'accuracy'
          ? (scores?.correct[i] ?? NaN)
          : -(scores?.logProbability[i] ?? NaN) - item.surprise;
      count++;
    });
    return { sum, count };
  });
}

/** Equal shares of a rung's length by which facts are binned, nearest first. */
export const DISTANCE_BINS: readonly (readonly [number, number])[] = Object.freeze(
  // Where one ends the next begins, to the last bit: 0.4 + 0.2 is not 0.6.
  [0, 0.2, 0.4, 0.6, 0.8].map((from, i, all) => [from, all[i + 1] ?? 1.01] as const),
);

/** (rungs, bins) accuracy by distance: what reach is judged by. */
export function accuracyByDistance(
  measurement: Measurement,
  rungs: readonly number[],
): Cluster[][][] {
  return rungs.map((rung) =>
    DISTANCE_BINS.map((distance) =>
      clusters(measurement, { kind: 'fact', rungs: [rung], distance }, 'accuracy'),
    ),
  );
}

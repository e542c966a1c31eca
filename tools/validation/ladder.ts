import type { RopeSpec } from '../../src/rope/registry.js';

/** Longest and shortest length that is probed, in windows. */
export const LONGEST = 32;
export const SHORTEST = 1 / 16;
/** Shortest length at which facts are asked: they have to be stated before. In windows. */
export const SHORTEST_ANSWERS = 1 / 2;
/** Lengths are read to the nearest sixteenth of a window. */
const STEP = 1 / 16;
/** Room between rungs for a question of every distance, in windows. */
const APART = 0.25;
/** A context has a key of its own for every question, so a ladder holds only so many rungs. */
const MOST_RUNGS = 16;

/** A scaling, with the window multiples that it is wanted at. */
export interface Wanted {
  readonly spec: RopeSpec;
  /** Where its loss is wanted. */
  readonly losses: readonly number[];
  /** Where its answers are wanted, `SHORTEST_ANSWERS` at least. */
  readonly answers: readonly number[];
}

/**
 * The window multiple at which a length is probed: the nearest sixteenth.
 *
 * @param length tokens, @param window trained window in tokens
 */
export function rungOf(length: number, window: number): number {
  return Math.max(SHORTEST, Math.round(length / window / STEP) * STEP);
}

/**
 * Multiples of a scaling that stand on a ladder, where facts are asked. The losses up to 1x come from
 * texts of their own.
 */
export function onLadder({ losses, answers }: Wanted): number[] {
  return [...new Set([...losses.filter((m) => m >= 1), ...answers])];
}

/**
 * Spreads multiples over as few ladders as their distance allows: rungs of one stand a quarter of
 * a window apart. The first holds 1, which losses are compared with, and each ends at 1 or beyond,
 * so that its text has a whole window.
 *
 * @returns ascending ladders; every multiple stands on one of them
 */
export function ladders(multiples: readonly number[]): number[][] {
  const found: number[][] = [[1]];
  const free = (ladder: readonly number[], multiple: number): boolean =>
    ladder.length < MOST_RUNGS && ladder.every((m) => Math.abs(m - multiple) >= APART);
  for (const multiple of [...new Set(multiples)].sort((a, b) => a - b)) {
    if (found.some((ladder) => ladder.includes(multiple))) continue;
    const ladder = found.find((l) => free(l, multiple));
    if (ladder) ladder.push(multiple);
    else found.push([multiple]);
  }
  return found.map((ladder) => {
    const sorted = ladder.sort((a, b) => a - b);
    return sorted.at(-1)! < 1 ? [...sorted, 1.25] : sorted;
  });
}

/** Contexts of each scaling on a ladder. */
export interface Samples {
  readonly long: number;
  readonly longText: number;
}

export const FULL: Samples = Object.freeze({ long: 10, longText: 20 });
/** Fewer contexts than these and the order of scalings is noise. */
const FEWEST: Samples = Object.freeze({ long: 2, longText: 4 });

/** Probe tokens at which attention costs as much as the rest of the model. */
const ATTENTION_TOKENS = 1024;

/** What tokens of one length cost: attention grows with the length. */
export const weighted = (tokens: number, length: number): number =>
  tokens * (1 + length / ATTENTION_TOKENS);

/** Weighted tokens of one context of each scaling. */
export function costOfOne(scalings: readonly Wanted[], window: number): number {
  const all = ladders(scalings.flatMap(onLadder));
  const passes = scalings.flatMap((scaling) => {
    const mine = onLadder(scaling);
    return all.map((ladder) => Math.max(0, ...ladder.filter((m) => mine.includes(m))));
  });
  return passes.reduce((sum, longest) => sum + weighted(longest * window, longest * window), 0);
}

/**
 * Contexts that a budget allows for a file's scalings.
 *
 * @param cost `costOfOne`, summed over the models
 * @param budget weighted tokens
 */
export function samplesWithin(cost: number, budget: number): Samples {
  const share = Math.min(1, budget / (cost * (FULL.long + FULL.longText)));
  return {
    long: Math.max(FEWEST.long, Math.floor(FULL.long * share)),
    longText: Math.max(FEWEST.longText, Math.floor(FULL.longText * share)),
  };
}

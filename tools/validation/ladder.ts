import type { RopeSpec } from '../../src/rope/registry.js';

/** Longest and shortest length that is probed, in windows. */
export const LONGEST = 32;
export const SHORTEST = 1 / 16;
/** Shortest length at which facts are asked, in windows. Facts have to be stated first. */
export const SHORTEST_ANSWERS = 1 / 2;
/** Lengths are rounded to the nearest sixteenth of a window. */
const STEP = 1 / 16;
/** Distance between rungs that leaves room for questions of every distance, in windows. */
const APART = 0.25;
/** Every question of a context needs its own key, which limits the number of rungs. */
const MOST_RUNGS = 16;

/** A scaling with the window multiples at which it is wanted. */
export interface Wanted {
  readonly spec: RopeSpec;
  /** Where its loss is wanted. */
  readonly losses: readonly number[];
  /** Where its answers are wanted, at least `SHORTEST_ANSWERS`. */
  readonly answers: readonly number[];
}

/**
 * Returns the window multiple at which a length is probed, a multiple of one sixteenth.
 *
 * @param length tokens
 * @param window trained window in tokens
 */
export function rungOf(length: number, window: number): number {
  return Math.max(SHORTEST, Math.round(length / window / STEP) * STEP);
}

/**
 * Returns a scaling's multiples on a ladder, where facts are asked. Losses up to 1x come from
 * separate texts.
 */
export function onLadder({ losses, answers }: Wanted): number[] {
  return [...new Set([...losses.filter((m) => m >= 1), ...answers])];
}

/**
 * Distributes multiples over as few ladders as possible, with rungs at least a quarter of a window
 * apart. The first ladder contains 1, which losses are compared with, and each ladder ends at 1 or
 * beyond, so that its text has a whole window.
 *
 * @returns ascending ladders; every multiple is on one of them
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

/** Numbers of contexts of each scaling on a ladder. */
export interface Samples {
  readonly long: number;
  readonly longText: number;
}

export const FULL: Samples = Object.freeze({ long: 10, longText: 20 });
/** With fewer contexts, the order of scalings is noise. */
const FEWEST: Samples = Object.freeze({ long: 2, longText: 4 });

/** Probe tokens at which attention costs as much as the rest of the model. */
const ATTENTION_TOKENS = 1024;

/** The cost of tokens of one length, which rises with the length because of attention. */
export const weighted = (tokens: number, length: number): number =>
  tokens * (1 + length / ATTENTION_TOKENS);

/** Weighted tokens of one context for each scaling. */
export function costOfOne(scalings: readonly Wanted[], window: number): number {
  const all = ladders(scalings.flatMap(onLadder));
  const passes = scalings.flatMap((scaling) => {
    const mine = onLadder(scaling);
    return all.map((ladder) => Math.max(0, ...ladder.filter((m) => mine.includes(m))));
  });
  return passes.reduce((sum, longest) => sum + weighted(longest * window, longest * window), 0);
}

/**
 * Computes how many contexts a budget allows for the scalings of a file.
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

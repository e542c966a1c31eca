/** Longest length that is probed, in windows. */
export const LONGEST = 32;
/** Lengths are read to the nearest sixteenth of a window. */
const STEP = 1 / 16;
/** Shortest rung, and room between rungs for a question of every distance, in windows. */
const SHORTEST = 0.25;
/** A context has a key of its own for every question, so a ladder holds only so many rungs. */
const MOST_RUNGS = 16;

/**
 * The window multiple at which a length is probed: the nearest sixteenth, and a quarter at least.
 *
 * @param length tokens, @param window trained window in tokens
 */
export function rungOf(length: number, window: number): number {
  return Math.max(SHORTEST, Math.round(length / window / STEP) * STEP);
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
    ladder.length < MOST_RUNGS && ladder.every((m) => Math.abs(m - multiple) >= SHORTEST);
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

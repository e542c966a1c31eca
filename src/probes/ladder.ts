/** Steps of the ladder as shares of the target: fine where a scaling ends, coarse below. */
const SHARES = Object.freeze([
  5 / 4,
  1,
  7 / 8,
  3 / 4,
  5 / 8,
  1 / 2,
  3 / 8,
  1 / 4,
  3 / 16,
  1 / 8,
  1 / 16,
]);

/** Two rungs closer than this share are one. */
const SAME = 1e-9;

/** Shortest rung: room for a question of every distance. */
const SHORTEST = 0.25;

/**
 * Window multiples at which the long probe asks, ascending: always 1, 2 (if the target reaches
 * it), the target and a quarter beyond it, so that a scaling that holds there is known to.
 *
 * @param extra further multiples asked for; those under a quarter of the window are left out
 */
export function ladder(target: number, extra: readonly number[] = []): number[] {
  const all = SHARES.map((share) => share * target).filter((m) => m > 1.05);
  all.push(1, ...extra.filter((m) => m >= SHORTEST));
  if (target > 2 && !all.some((m) => Math.abs(m - 2) < 0.2)) all.push(2);
  return all.sort((a, b) => a - b).filter((m, i, list) => i === 0 || m - list[i - 1]! > SAME * m);
}

/** Length in probe tokens of a window multiple. */
export function probeTokens(multiple: number, window: number): number {
  return Math.round(multiple * window);
}

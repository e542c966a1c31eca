import { NEAREST_RUNGS } from './presets.js';

/** Steps of the ladder below the target, as shares of it: fine where a scaling ends, coarse below. */
const SHARES = Object.freeze([7 / 8, 3 / 4, 5 / 8, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8, 1 / 16]);

/** Shortest rung: room for a question of every distance. */
const SHORTEST = 0.25;

/**
 * Window multiples at which the long probe asks, ascending: always 1, 2 (if the target reaches
 * it) and the target.
 *
 * @param extra further multiples asked for; those under a quarter of the window are left out, and
 *   those within `NEAREST_RUNGS` of another are read there
 */
export function ladder(target: number, extra: readonly number[] = []): number[] {
  const rungs = [target, 1];
  const add = (multiple: number): void => {
    if (rungs.every((m) => Math.abs(m - multiple) >= NEAREST_RUNGS)) rungs.push(multiple);
  };
  for (const share of SHARES) if (share * target > 1.05) add(share * target);
  if (target > 2 && !rungs.some((m) => Math.abs(m - 2) < 0.2)) add(2);
  for (const multiple of extra) if (multiple >= SHORTEST) add(multiple);
  return [...new Set(rungs)].sort((a, b) => a - b);
}

/** Length in probe tokens of a window multiple. */
export function probeTokens(multiple: number, window: number): number {
  return Math.round(multiple * window);
}

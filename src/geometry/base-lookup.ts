import { BASE_TABLE } from './base-table.js';

export interface RequiredBase {
  /** Length that the base is for: the next in the table, at or above the one asked for. */
  readonly length: number;
  /** Smallest base found on the grid of the search (see smallestBase). */
  readonly base: number;
}

/**
 * Smallest base that supports a length by Men et al. 2024 (arXiv:2405.14591), from results of
 * `smallestBase` at powers of two. It is about an unscaled table of this rotary dimension.
 *
 * @returns null where the table has no entry for the dimension, or none that long
 */
export function requiredBase(length: number, rotaryDim: number): RequiredBase | null {
  const row = BASE_TABLE.find((entry) => entry.rotaryDim === rotaryDim);
  if (row === undefined) return null;
  const index = Math.max(0, Math.ceil(Math.log2(length / FIRST_LENGTH)));
  const base = row.bases[index];
  return base === undefined ? null : { length: FIRST_LENGTH * 2 ** index, base };
}

/** Tokens; each later column doubles it. */
const FIRST_LENGTH = 1024;

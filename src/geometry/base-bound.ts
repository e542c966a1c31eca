import { computeRope, type RopeSpec } from '../rope/registry.js';
import type { CandidateGeometry, GroupGeometry, TableGeometry } from './schema.js';

/**
 * Finds the pairs that reach angles at the target that they never reached in training.
 *
 * By Liu et al. 2023 (arXiv:2310.05209), section 4.2, pairs above the critical dimension have seen
 * only part of a turn, and extrapolation fails once they go beyond it. A pair that completed a turn
 * has seen every angle, so it cannot leave its range.
 */

const TURN = 2 * Math.PI;

/** A factor times its own inverse may not be exactly 1. Less than this is rounding. */
const ROUNDING = 1e-9;

/**
 * Finds the pairs that go beyond their largest trained angle and never completed a turn in
 * training.
 *
 * @param reference (pairs,) radians per token, as trained
 * @param candidate (pairs,) radians per token, in use at the target
 * @param trainedWindow tokens
 * @param target tokens
 */
export function pairsOutOfRange(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  trainedWindow: number,
  target: number,
): CandidateGeometry['outOfRange'][number][] {
  const outside: CandidateGeometry['outOfRange'][number][] = [];
  for (let pair = 0; pair < reference.length; pair++) {
    const trainedAngle = trainedWindow * (reference[pair] ?? 0);
    const excess = (target * (candidate[pair] ?? 0)) / trainedAngle;
    if (trainedAngle > 0 && trainedAngle < TURN && excess > 1 + ROUNDING) {
      outside.push({ pair, excess });
    }
  }
  return outside;
}

/**
 * Measures how far the angles at a length leave the trained ones: the mean over all pairs of ln
 * excess, 0 if every pair stays in range.
 *
 * @param reference, candidate, trainedWindow, target as in `pairsOutOfRange`
 */
export function meanLogExcess(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  trainedWindow: number,
  target: number,
): number {
  const outside = pairsOutOfRange(reference, candidate, trainedWindow, target);
  return outside.reduce((sum, { excess }) => sum + Math.log(excess), 0) / reference.length;
}

/**
 * Returns the longest length at which every pair stays within its trained angles. null if no pair
 * limits it, that is if every pair that turns at all completed a turn in training.
 *
 * @returns tokens, rounded down
 */
export function inRangeUpTo(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  trainedWindow: number,
): number | null {
  let shortest: number | null = null;
  for (let pair = 0; pair < reference.length; pair++) {
    const from = reference[pair] ?? 0;
    const to = candidate[pair] ?? 0;
    if (from <= 0 || to <= 0 || trainedWindow * from >= TURN) continue;
    const length = Math.floor(((trainedWindow * from) / to) * (1 + ROUNDING));
    if (shortest === null || length < shortest) shortest = length;
  }
  return shortest;
}

/** Where a length-dependent table begins to change, and by how much. */
export type Boundary = NonNullable<CandidateGeometry['boundary']>;

/**
 * Returns where the table begins to change; null if it does not depend on the length, or if the
 * target does not exceed that length. LongRoPE switches lists above its original window (Ding et
 * al. 2024, arXiv:2402.13753, transformers `_compute_longrope_parameters`), and dynamic NTK
 * recomputes the table above its maximum (transformers `_compute_dynamic_ntk_parameters`). Keys
 * cached earlier were rotated by the old table, so the change is also the error between old keys
 * and new queries.
 */
export function boundaryOf(spec: RopeSpec, target: number): Boundary | null {
  const length =
    spec.type === 'longrope'
      ? spec.originalMaxPositions
      : spec.type === 'dynamic'
        ? spec.maxPositions
        : null;
  if (length === null || target <= length) return null;
  return {
    length,
    kind: spec.type === 'longrope' ? 'switch' : 'recomputed',
    step: tableChange(spec, length, length + 1),
    atTarget: tableChange(spec, length, target),
  };
}

function tableChange(spec: RopeSpec, from: number, to: number): Boundary['step'] {
  const before = computeRope(spec, from);
  const after = computeRope(spec, to);
  let maxFrequencyChange = 0;
  let pair = 0;
  before.invFreq.forEach((frequency, index) => {
    if (frequency <= 0) return;
    const change = Math.abs((after.invFreq[index] ?? 0) / frequency - 1);
    if (change > maxFrequencyChange) {
      maxFrequencyChange = change;
      pair = index;
    }
  });
  return {
    maxFrequencyChange,
    pair,
    attentionScalingRatio: after.attentionScaling / before.attentionScaling,
  };
}

/**
 * The smallest base for lengths of 1024, 2048, 4096 … tokens, by rotary dimension. The numbers are
 * results of `smallestBase` (tools/base-search.ts) on its default grid, 0.5 % in the base. For 128
 * dimensions they agree with table 2 of Men et al. 2024 (arXiv:2405.14591), as closely as the two
 * grids allow. They have eight digits because a base slightly above a valid one may be invalid.
 */
export const BASE_TABLE: readonly {
  readonly rotaryDim: number;
  readonly bases: readonly number[];
}[] = Object.freeze([
  {
    rotaryDim: 32,
    bases: [
      58254.993, 205373.41, 1113017.2, 7008155.4, 27033438, 1.58709349e8, 7.00696286e8,
      3.70365162e9, 1.53992569e10, 8.99558735e10, 4.05175074e11,
    ],
  },
  {
    rotaryDim: 64,
    bases: [
      7766.5792, 29660.904, 105091.33, 389486.74, 1359442.3, 3788895.4, 17762234, 76866837,
      3.71323829e8, 1.32885711e9, 4.1967871e9,
    ],
  },
  {
    rotaryDim: 80,
    bases: [
      8844.8009, 15026.718, 67009.193, 307916.86, 397354.89, 2428016.2, 9089087.7, 33854588,
      1.25470985e8, 2.27482778e8, 2.20189699e9,
    ],
  },
  {
    rotaryDim: 96,
    bases: [
      5418.5585, 18818.3, 54862.487, 103526.73, 558262.8, 727657.02, 5191769.2, 20636772, 71670164,
      2.43977141e8, 1.01442227e9,
    ],
  },
  {
    rotaryDim: 128,
    bases: [
      4305.2268, 11644.452, 26972.823, 83917.134, 235057.42, 632594.62, 2100288.1, 8265370.3,
      32854034, 63248698, 3.47955478e8,
    ],
  },
  {
    rotaryDim: 256,
    bases: [
      2973.7679, 7387.7987, 17811.242, 44470.667, 109380.19, 300314.37, 858193.68, 1968111.7,
      4865038, 15675117, 40329150,
    ],
  },
]);

/**
 * Returns the smallest base of an unscaled table that supports a length by the bound of Men et al.
 * 2024 (arXiv:2405.14591). It comes from a table of search results at powers of two.
 *
 * @param length tokens
 * @returns null if the table has no entry for the dimension, or none for such a length
 */
export function requiredBase(length: number, rotaryDim: number): GroupGeometry['requiredBase'] {
  const row = BASE_TABLE.find((entry) => entry.rotaryDim === rotaryDim);
  if (row === undefined) return null;
  const index = Math.max(0, Math.ceil(Math.log2(length / FIRST_LENGTH)));
  const base = row.bases[index];
  return base === undefined ? null : { length: FIRST_LENGTH * 2 ** index, base };
}

/** In tokens. Each further column doubles it. */
const FIRST_LENGTH = 1024;

/**
 * The functions below compute the bound of Men et al. 2024, "Base of RoPE Bounds Context Length"
 * (arXiv:2405.14591).
 *
 * A head prefers a similar token at distance m over a random one only while `B(m) = Σ_i cos(m ω_i)`
 * is not negative (their theorem 1, equations 9 to 11). The length that a table supports is
 * therefore the largest L with B(m) >= 0 for every m <= L.
 */

/** Distances on each side of a block's centre. */
const HALF = 256;

/**
 * Returns the first distance whose summed cosine is negative, or null if there is none up to
 * `limit`.
 *
 * Distances are searched in blocks around a centre b, with `cos((b ± j)ω) = cos(bω)cos(jω) ∓
 * sin(bω)sin(jω)`. The factors in j are the same for every block, and both sides of a centre share
 * the products. A pair thus costs one multiplication per distance, and errors do not accumulate as
 * they would in a running recurrence.
 *
 * @param invFreq (pairs,) radians per token; pairs that stand still are left out
 * @param limit last distance to look at, tokens
 */
export function firstNegativeDistance(invFreq: ArrayLike<number>, limit: number): number | null {
  const frequencies = Float64Array.from(Array.from(invFreq).filter((frequency) => frequency > 0));
  if (frequencies.length === 0) return null;
  const width = HALF + 1;
  // (pairs, width), filled up with rows of zeros to a multiple of four
  const rows = 4 * Math.ceil(frequencies.length / 4);
  const cosines = new Float64Array(rows * width);
  const sines = new Float64Array(rows * width);
  const atCentre = { cos: new Float64Array(rows), sin: new Float64Array(rows) };
  frequencies.forEach((frequency, pair) => {
    for (let j = 0; j < width; j++) {
      cosines[pair * width + j] = Math.cos(j * frequency);
      sines[pair * width + j] = Math.sin(j * frequency);
    }
  });
  const even = new Float64Array(width);
  const odd = new Float64Array(width);
  for (let centre = HALF; centre - HALF <= limit; centre += 2 * HALF + 1) {
    frequencies.forEach((frequency, pair) => {
      atCentre.cos[pair] = Math.cos(centre * frequency);
      atCentre.sin[pair] = Math.sin(centre * frequency);
    });
    sumRows(even, atCentre.cos, cosines);
    sumRows(odd, atCentre.sin, sines);
    for (let j = -HALF; j <= HALF && centre + j <= limit; j++) {
      const side = Math.abs(j);
      const sum = (even[side] as number) - Math.sign(j) * (odd[side] as number);
      if (sum < 0) return centre + j;
    }
  }
  return null;
}

/**
 * Computes `sums[j] = Σ_row weights[row] · table[row][j]`. It takes four rows at a time, because
 * the search spends its time here and sharing one pass over the sums halves it.
 *
 * @param weights (rows,), a multiple of four
 * @param table (rows, sums)
 */
function sumRows(sums: Float64Array, weights: Float64Array, table: Float64Array): void {
  const width = sums.length;
  sums.fill(0);
  for (let row = 0; row < weights.length; row += 4) {
    const a = weights[row] as number;
    const b = weights[row + 1] as number;
    const c = weights[row + 2] as number;
    const d = weights[row + 3] as number;
    const first = row * width;
    for (let j = 0; j < width; j++) {
      const at = first + j;
      sums[j] =
        (sums[j] as number) +
        a * (table[at] as number) +
        b * (table[at + width] as number) +
        c * (table[at + 2 * width] as number) +
        d * (table[at + 3 * width] as number);
    }
  }
}

/**
 * Returns the longest length that these frequencies support by the bound.
 *
 * @param invFreq (pairs,) radians per token
 * @param limit where the search ends, in tokens
 */
export function supportedLength(
  invFreq: ArrayLike<number>,
  limit: number,
): TableGeometry['supported'] {
  const first = firstNegativeDistance(invFreq, limit);
  return first === null ? { tokens: limit, atLeast: true } : { tokens: first - 1, atLeast: false };
}

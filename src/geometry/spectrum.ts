import type { TableGeometry } from './schema.js';

/** How often pairs turn, how slow ones relate to the window, and how the summed cosine falls. */

const TURN = 2 * Math.PI;

/**
 * Returns the turns that each pair makes over a window: `window * ω / 2π`.
 *
 * By the wavelength argument of Peng et al. 2023, "YaRN" (arXiv:2309.00071), section 3.1, a pair
 * that never completes a turn within the trained window encodes absolute position, and one that
 * turns often encodes only relative distance.
 *
 * @param invFreq (pairs,) radians per token
 * @param window tokens
 * @returns (pairs,) turns
 */
export function rotations(invFreq: ArrayLike<number>, window: number): number[] {
  return Array.from(invFreq, (frequency) => (window * frequency) / TURN);
}

/**
 * Returns how much slower each pair turns than in the reference: `reference / candidate`. It is
 * null if either frequency is 0, since such a pair encodes no position.
 *
 * @param reference (pairs,) radians per token
 * @param candidate (pairs,) radians per token
 * @returns (pairs,)
 */
export function stretch(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
): (number | null)[] {
  return Array.from(reference, (from, pair) => {
    const to = candidate[pair] ?? 0;
    return from > 0 && to > 0 ? from / to : null;
  });
}

/**
 * A pair that turns at least this often within the trained window distinguishes near tokens. It is
 * YaRN's published β_fast (Peng et al. 2023, section 3.2), above which YaRN leaves pairs alone.
 */
const HIGH_FREQUENCY_ROTATIONS = 32;

/**
 * Returns the largest stretch among the pairs of high frequency, which is what a scaling costs in
 * resolution between neighbouring tokens. null if the table has no such pair.
 *
 * @param reference (pairs,) radians per token
 * @param candidate (pairs,) radians per token
 * @param trainedWindow tokens
 */
export function highFrequencyStretch(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  trainedWindow: number,
): number | null {
  const turns = rotations(reference, trainedWindow);
  let largest: number | null = null;
  stretch(reference, candidate).forEach((value, pair) => {
    if (value === null || (turns[pair] ?? 0) < HIGH_FREQUENCY_ROTATIONS) return;
    if (largest === null || value > largest) largest = value;
  });
  return largest;
}

/**
 * Returns how many leading rotary dimensions completed at least one turn in training, which Liu et
 * al. 2023, "Scaling Laws of RoPE-based Extrapolation" (arXiv:2310.05209), Theorem 3, call critical;
 * for Llama 2 it is 92 of 128.
 *
 * @param invFreq (rotaryDim / 2,) radians per token
 * @param window trained window in tokens
 */
export function criticalDimensionOf(invFreq: ArrayLike<number>, window: number): number {
  return 2 * rotations(invFreq, window).filter((turns) => turns >= 1).length;
}

/**
 * Returns the critical fraction of a rotary table: the share of its pairs below one rotation per
 * window, interpolated in log-frequency between pairs. On an unscaled table it is `1 - ln(window /
 * 2π) / ln(theta)`, the complement of the critical dimension over the head dimension without the
 * rounding. Other tables (llama3, YaRN, longrope) are no geometric series.
 *
 * Beyond the last pair on either side, the last step is continued, so a table in which every pair
 * turns gives a negative share. Pairs with frequency 0 encode no position and are left out.
 *
 * @param invFreq (rotaryDim / 2,) radians per token
 * @param window trained window in tokens, > 0
 * @returns the share, or null if no pair turns at all
 */
export function criticalFractionOf(invFreq: ArrayLike<number>, window: number): number | null {
  const logs = Array.from(invFreq)
    .filter((frequency) => frequency > 0)
    .map((frequency) => Math.log(frequency))
    .sort((a, b) => b - a);
  const first = logs[0];
  if (first === undefined) return null;
  const limit = Math.log(TURN / window);
  const crossing = logs.findIndex((value) => value < limit);
  // This is the step that contains the limit, or the nearest one if the limit is outside the table.
  const right = Math.max(1, crossing < 0 ? logs.length - 1 : crossing);
  const a = logs[right - 1] ?? first;
  const b = logs[right];
  if (b === undefined || a === b) {
    // With one pair, or equal neighbours at the end, there is nothing to interpolate between.
    return crossing < 0 ? 0 : 1 - crossing / logs.length;
  }
  const index = right - 1 + (a - limit) / (a - b);
  return 1 - index / logs.length;
}

/**
 * Computes the mean cosine over pairs, `(1/n) Σ_i cos(m ω_i)`, averaged over bins of distance that
 * are equally wide on a log scale.
 *
 * It shows the long-term decay of the score between equal queries and keys (Su et al. 2021,
 * "RoFormer", arXiv:2104.09864, section 3.4.3). At a single distance, the fast pairs make the score
 * oscillate; the mean of a bin is what a head can rely on. Within a bin it is exact, by the sum of
 * a cosine series: `Σ_{m=a}^{b} cos(mω) = cos((a+b)ω/2) sin((b−a+1)ω/2) / sin(ω/2)`.
 *
 * @param invFreq (pairs,) radians per token; pairs that stand still are left out
 * @param upTo largest distance, tokens
 * @param bins at most this many points; fewer if some bins would hold no distance
 */
export function decayCurve(
  invFreq: ArrayLike<number>,
  upTo: number,
  bins: number,
): TableGeometry['decay'][number][] {
  const frequencies = Array.from(invFreq).filter((frequency) => frequency > 0);
  if (frequencies.length === 0) return [];
  const points: TableGeometry['decay'][number][] = [];
  let from = 1;
  for (let bin = 1; bin <= bins && from <= upTo; bin++) {
    const to = Math.min(upTo, Math.floor(Math.pow(upTo, bin / bins) * (1 + 1e-12)));
    if (to < from) continue;
    let sum = 0;
    for (const frequency of frequencies) sum += meanCosine(frequency, from, to);
    points.push({ from, to, mean: sum / frequencies.length });
    from = to + 1;
  }
  return points;
}

/** Returns the mean of cos(mω) over m = from..to. */
function meanCosine(frequency: number, from: number, to: number): number {
  const count = to - from + 1;
  const half = Math.sin(frequency / 2);
  // ω is near a multiple of 2π, so every term is the same.
  if (Math.abs(half) < 1e-12) return Math.cos(from * frequency);
  const centre = Math.cos(((from + to) / 2) * frequency);
  return (centre * Math.sin((count * frequency) / 2)) / (count * half);
}

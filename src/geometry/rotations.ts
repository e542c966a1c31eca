/** Turns of each pair, and which pairs leave the angles that the weights have seen. */

const TURN = 2 * Math.PI;

/**
 * Turns that each pair makes over a window: `window * ω / 2π`.
 *
 * The wavelength argument of Peng et al. 2023, "YaRN" (arXiv:2309.00071), section 3.1: a pair
 * that never completes a turn within the trained window holds absolute position, one that turns
 * often holds relative distance alone.
 *
 * @param invFreq (pairs,) radians per token
 * @param window tokens
 * @returns (pairs,) turns
 */
export function rotations(invFreq: ArrayLike<number>, window: number): number[] {
  return Array.from(invFreq, (frequency) => (window * frequency) / TURN);
}

/**
 * How much slower each pair turns than in the reference: `reference / candidate`.
 * null where either frequency is 0: such a pair carries no position to stretch.
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
 * A pair that turns at least this often within the trained window tells near tokens apart.
 * YaRN's published β_fast (Peng et al. 2023, section 3.2), above which it leaves pairs alone.
 */
const HIGH_FREQUENCY_ROTATIONS = 32;

/**
 * Largest stretch among the pairs of high frequency: what a scaling takes away from the
 * resolution between neighbouring tokens. null where the table has no such pair.
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

import { firstNegativeDistance } from '../src/geometry/base-bound.js';

/**
 * Searches the smallest base whose unscaled table supports a length by Men et al. 2024
 * (arXiv:2405.14591), equation 11: `inf { b : Σ_i cos(m b^(-2i/d)) >= 0 for m = 0..L }`.
 *
 * The valid bases are not an interval: isolated ones lie below the point from which all are valid.
 * The result is the smallest on a grid of `step` in ln(base), so a finer step can find a smaller
 * one. The search takes from a tenth of a second (1k) to half a minute (1M), which is too long for
 * `inspect`; that reads the table in src/geometry/base-bound.ts instead.
 *
 * @param length tokens
 * @param rotaryDim rotated dimensions of a head, even
 * @returns the base, or null if no base up to `to` supports the length
 */
export function smallestBase(
  length: number,
  rotaryDim: number,
  { from = 10, to = 1e12, step = 0.005 } = {},
): number | null {
  const pairs = rotaryDim / 2;
  /**
   * Distances at which earlier bases failed, because a neighbouring base usually fails close by.
   */
  let witnesses: number[] = [];
  const last = Math.log(to);
  for (
    let index = 0, ln = Math.log(from);
    ln <= last;
    index++, ln = Math.log(from) + index * step
  ) {
    const frequencies = Float64Array.from({ length: pairs }, (_, i) => Math.exp((-ln * i) / pairs));
    const near = findNegativeNear(frequencies, witnesses, length);
    const failure = near ?? firstNegativeDistance(frequencies, length);
    if (failure === null) return Math.exp(ln);
    witnesses = [failure, ...witnesses.filter((m) => m !== failure)].slice(0, WITNESSES);
  }
  return null;
}

const WITNESSES = 8;
/**
 * The sum oscillates with the period of the fastest pair, 2π tokens. A walk covers one oscillation.
 */
const MIN_STEPS = 8;

/** Walks downhill from known failures. null proves nothing. */
function findNegativeNear(
  frequencies: Float64Array,
  witnesses: readonly number[],
  length: number,
): number | null {
  for (const witness of witnesses) {
    const start = sumAt(frequencies, witness);
    if (start < 0) return witness;
    const reach = MIN_STEPS + witness / 250;
    for (const direction of [1, -1]) {
      let previous = start;
      for (let steps = 1; steps <= reach; steps++) {
        const distance = witness + direction * steps;
        if (distance < 1 || distance > length) break;
        const sum = sumAt(frequencies, distance);
        if (sum < 0) return distance;
        if (steps > MIN_STEPS && sum > previous) break;
        previous = sum;
      }
    }
  }
  return null;
}

function sumAt(frequencies: Float64Array, distance: number): number {
  let sum = 0;
  for (const frequency of frequencies) sum += Math.cos(distance * frequency);
  return sum;
}

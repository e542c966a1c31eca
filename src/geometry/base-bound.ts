/**
 * Men et al. 2024, "Base of RoPE Bounds Context Length" (arXiv:2405.14591).
 *
 * A head prefers a similar token at distance m over a random one only while
 * `B(m) = Σ_i cos(m ω_i)` is not negative (their theorem 1, equations 9 to 11). The length that a
 * table supports is therefore the largest L with B(m) >= 0 for every m <= L.
 */

/** Distances on either side of a block's centre. */
const HALF = 256;

export interface SupportedLength {
  /** Largest length, in tokens, with B(m) >= 0 for every distance up to it. */
  readonly tokens: number;
  /** The search ended first: read `tokens` as a lower limit. */
  readonly atLeast: boolean;
}

/**
 * First distance whose summed cosine is negative, or null up to `limit`.
 *
 * `cos((b ± j)ω) = cos(bω)cos(jω) ∓ sin(bω)sin(jω)`: the j part is the same for every block and
 * both sides of its centre b share the products, so a pair costs one multiplication a distance,
 * and no error builds up as in a running recurrence.
 *
 * @param invFreq (pairs,) radians per token; pairs that stand still are left out
 * @param limit last distance to look at, tokens
 */
export function firstNegativeDistance(invFreq: ArrayLike<number>, limit: number): number | null {
  const frequencies = Float64Array.from(Array.from(invFreq).filter((frequency) => frequency > 0));
  if (frequencies.length === 0) return null;
  const width = HALF + 1;
  // (pairs, width), with pairs that stand for nothing up to a multiple of four
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
 * `sums[j] = Σ_row weights[row] · table[row][j]`, four rows at a time: this is where the search
 * spends its time, and one pass over the sums for four rows halves it.
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
 * Longest length that these frequencies support by the bound.
 *
 * @param invFreq (pairs,) radians per token
 * @param limit stop looking here, tokens
 */
export function supportedLength(invFreq: ArrayLike<number>, limit: number): SupportedLength {
  const first = firstNegativeDistance(invFreq, limit);
  return first === null ? { tokens: limit, atLeast: true } : { tokens: first - 1, atLeast: false };
}

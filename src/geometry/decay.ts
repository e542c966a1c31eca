/** How the summed cosine of a rotary table falls with distance. */

export interface DecayPoint {
  /** First and last distance of the bin, tokens. */
  readonly from: number;
  readonly to: number;
  /** Mean over pairs and over the distances of the bin, -1..1. */
  readonly mean: number;
}

/**
 * Mean cosine over pairs, `(1/n) Σ_i cos(m ω_i)`, averaged over bins of distance that are evenly
 * wide on a log scale.
 *
 * Su et al. 2021, "RoFormer" (arXiv:2104.09864), section 3.4.3: the long-term decay of the score
 * between equal queries and keys. One distance alone wriggles with the fast pairs; the mean of a
 * bin is what a head can rest on. Inside a bin it is exact, by the sum of a cosine series:
 * `Σ_{m=a}^{b} cos(mω) = cos((a+b)ω/2) sin((b−a+1)ω/2) / sin(ω/2)`.
 *
 * @param invFreq (pairs,) radians per token; pairs that stand still are left out
 * @param upTo largest distance, tokens
 * @param bins at most this many points; fewer where bins would hold no distance
 */
export function decayCurve(invFreq: ArrayLike<number>, upTo: number, bins: number): DecayPoint[] {
  const frequencies = Array.from(invFreq).filter((frequency) => frequency > 0);
  if (frequencies.length === 0) return [];
  const points: DecayPoint[] = [];
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

/** Mean of cos(mω) over m = from..to. */
function meanCosine(frequency: number, from: number, to: number): number {
  const count = to - from + 1;
  const half = Math.sin(frequency / 2);
  // ω near a multiple of 2π: every term is the same.
  if (Math.abs(half) < 1e-12) return Math.cos(from * frequency);
  const centre = Math.cos(((from + to) / 2) * frequency);
  return (centre * Math.sin((count * frequency) / 2)) / (count * half);
}

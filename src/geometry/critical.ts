/**
 * Critical dimension and critical fraction: how much of a rotary table never completed a turn
 * while the model was trained.
 */

const TURN = 2 * Math.PI;

/**
 * Share of the log-frequency range below one rotation per window:
 * `c = 1 - ln(window / 2π) / ln(theta)`.
 *
 * Liu et al. 2023, "Scaling Laws of RoPE-based Extrapolation" (arXiv:2310.05209): the complement
 * of their critical dimension over the head dimension, without the rounding.
 * Negative where every pair turns; above 1 for a window under 2π tokens.
 *
 * @param theta base of the geometric series, > 1
 * @param window trained window in tokens, > 0
 */
export function criticalFraction(theta: number, window: number): number {
  return 1 - Math.log(window / TURN) / Math.log(theta);
}

/**
 * Number of leading rotary dimensions that saw at least one whole turn in training:
 * `2 * ceil(d / 2 * log_theta(window / 2π))`, kept inside 0..d.
 *
 * Liu et al. 2023 (arXiv:2310.05209), Theorem 3; 92 of 128 for Llama 2.
 *
 * @param theta base of the geometric series, > 1
 * @param window trained window in tokens, > 0
 * @param rotaryDim rotated dimensions of a head, even
 */
export function criticalDimension(theta: number, window: number, rotaryDim: number): number {
  const pairs = (rotaryDim / 2) * (Math.log(window / TURN) / Math.log(theta));
  return Math.min(rotaryDim, Math.max(0, 2 * Math.ceil(pairs)));
}

/**
 * Critical fraction of any rotary table: the share of its pairs below one rotation per window,
 * interpolated in log-frequency between pairs. Equals `criticalFraction` on an unscaled table,
 * and extends it to tables that are no geometric series (llama3, YaRN, longrope).
 *
 * Beyond the last pair on either side the last step is continued, so that a table whose every
 * pair turns gives a negative share. Pairs with frequency 0 carry no position and are left out.
 *
 * @param invFreq (rotaryDim / 2,) radians per token
 * @param window trained window in tokens, > 0
 * @returns the share, or null where no pair turns at all
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
  // The step that the limit lies in; the nearest one where it lies outside the table.
  const right = Math.max(1, crossing < 0 ? logs.length - 1 : crossing);
  const a = logs[right - 1] ?? first;
  const b = logs[right];
  if (b === undefined || a === b) {
    // One pair, or equal neighbours at the end: nothing to interpolate between.
    return crossing < 0 ? 0 : 1 - crossing / logs.length;
  }
  const index = right - 1 + (a - limit) / (a - b);
  return 1 - index / logs.length;
}

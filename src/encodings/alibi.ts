import type { PositionEncoding } from './types.js';

/**
 * Slope of each head (Press et al. 2022, section 3, arXiv:2108.12409): 2^(-8/n), 2^(-16/n), ... for
 * n heads. Where n is no power of two, the slopes of the next smaller one, then every other slope
 * of the next larger one: transformers' `build_alibi_tensor` (BLOOM).
 *
 * @returns (heads,)
 */
export function alibiSlopes(heads: number): number[] {
  const floor = 2 ** Math.floor(Math.log2(heads));
  const series = (n: number): number[] =>
    Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n));
  const more = series(2 * floor).filter((_, i) => i % 2 === 0);
  return [...series(floor), ...more.slice(0, heads - floor)];
}

/** A fixed penalty on distance, -slope * distance, added to the attention logits. */
export const alibi: PositionEncoding = {
  title: 'ALiBi',
  inputs: (length, { heads }) => {
    const bias = new Float32Array(heads * length);
    alibiSlopes(heads).forEach((slope, h) => {
      for (let d = 0; d < length; d++) bias[h * length + d] = -slope * d;
    });
    return { bias };
  },
};

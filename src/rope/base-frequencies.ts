/**
 * Frequencies of plain RoPE: `theta^(-2i / d)` for pair i.
 *
 * @param theta base, > 1
 * @param rotaryDim rotated dimensions of a head, even
 * @param exponentDim denominator of the exponent; rotaryDim unless that was rounded up to even
 * @returns (rotaryDim / 2,) radians per token
 * @see Su et al. 2021, arXiv:2104.09864, section 3.2.2; transformers
 *   `LlamaRotaryEmbedding.compute_default_rope_parameters`
 */
export function baseFrequencies(
  theta: number,
  rotaryDim: number,
  exponentDim: number = rotaryDim,
): Float64Array {
  return Float64Array.from({ length: rotaryDim / 2 }, (_, pair) =>
    Math.pow(theta, (-2 * pair) / exponentDim),
  );
}

/**
 * The base of NTK-aware scaling: `theta * alpha^(d / (d - 2))`. The slowest pair is slowed by
 * alpha exactly, the fastest not at all.
 *
 * @param alpha extension, >= 1
 * @param dim rotated dimensions, > 2 (at 2 the exponent divides by zero)
 * @see bloc97, "NTK-Aware Scaled RoPE", 2023; transformers `_compute_dynamic_ntk_parameters`
 */
export function ntkTheta(theta: number, alpha: number, dim: number): number {
  return theta * Math.pow(alpha, dim / (dim - 2));
}

/** What every rotary table depends on; a rope kind adds its own parameters. */
export interface RopeBase {
  /** Base of the geometric series, > 1. */
  readonly theta: number;
  /** Rotated dimensions of a head; even. */
  readonly rotaryDim: number;
  /**
   * Denominator of the exponent, `theta^(-2i / exponentDim)`, where it is not rotaryDim:
   * an odd partial dimension (25 of 100) has ceil(25 / 2) pairs but divides by 25.
   */
  readonly exponentDim?: number;
}

/** A spec of any rope kind, as far as code that knows no kind by name needs it. */
export interface AnySpec extends RopeBase {
  readonly type: string;
}

export interface RopeTable {
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: Float64Array;
  /** Multiplier on cos and sin (transformers: `attention_scaling`). */
  readonly attentionScaling: number;
}

/** The base of a spec, without what its kind adds. */
export function baseOf({ theta, rotaryDim, exponentDim }: RopeBase): RopeBase {
  return { theta, rotaryDim, ...(exponentDim !== undefined && { exponentDim }) };
}

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

import { baseFrequencies, type RopeKind, type RopeSpecOf, type RopeTable } from '../spec.js';

/**
 * LongRoPE's attention scaling: `sqrt(1 + ln(factor) / ln(original window))`; 1 without extension.
 *
 * @see Ding et al. 2024, arXiv:2402.13753; transformers `_compute_longrope_parameters`
 */
export function longropeAttentionScaling(factor: number, originalMaxPositions: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
}

/**
 * LongRoPE: a searched divisor per pair, one list up to the original window and one above it, so
 * that the whole table switches when a sequence crosses that length.
 *
 * @param sequenceLength tokens; undefined = as built, with the short list
 * @returns invFreq (rotaryDim / 2,) radians per token
 * @see Ding et al. 2024, arXiv:2402.13753; transformers `_compute_longrope_parameters`, and for
 *   the two mscales `PhimoeRotaryEmbedding`
 */
export function computeLongrope(
  spec: RopeSpecOf<'longrope'>,
  sequenceLength: number | undefined,
): RopeTable {
  const long = sequenceLength !== undefined && sequenceLength > spec.originalMaxPositions;
  const divisors = long ? spec.longFactor : spec.shortFactor;
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  const ofRange = long ? spec.longMscale : spec.shortMscale;
  return {
    invFreq: base.map((frequency, pair) => frequency / (divisors[pair] ?? 1)),
    attentionScaling:
      ofRange ??
      spec.attentionFactor ??
      longropeAttentionScaling(spec.factor, spec.originalMaxPositions),
  };
}

export const longropeRope: RopeKind<'longrope'> = Object.freeze({
  compute: computeLongrope,
  lengthDependent: true,
  switchLength: (spec: RopeSpecOf<'longrope'>) => spec.originalMaxPositions,
});

import { baseFrequencies, type RopeKind, type RopeSpecOf, type RopeTable } from '../spec.js';

/**
 * Proportional RoPE (Gemma 4): the exponent runs over the whole head, but only the leading share of
 * the pairs turns; the rest has frequency 0.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token, zeros at the end; attention scaling 1
 * @see transformers `_compute_proportional_rope_parameters`
 */
export function computeProportional(spec: RopeSpecOf<'proportional'>): RopeTable {
  const turning = Math.floor((spec.partialRotaryFactor * spec.rotaryDim) / 2);
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  return {
    invFreq: base.map((frequency, pair) => (pair < turning ? frequency / spec.factor : 0)),
    attentionScaling: 1,
  };
}

export const proportionalRope: RopeKind<'proportional'> = Object.freeze({
  compute: computeProportional,
  lengthDependent: false,
});

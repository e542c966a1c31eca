import { baseFrequencies, type RopeKind, type RopeSpecOf, type RopeTable } from '../spec.js';

/**
 * RoPE without a scaling.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see Su et al. 2021, arXiv:2104.09864; transformers `compute_default_rope_parameters`
 */
export function computeDefault(spec: RopeSpecOf<'default'>): RopeTable {
  return {
    invFreq: baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim),
    attentionScaling: 1,
  };
}

export const defaultRope: RopeKind<'default'> = Object.freeze({
  compute: computeDefault,
  lengthDependent: false,
});

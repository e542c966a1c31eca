import { baseFrequencies, type RopeKind, type RopeSpecOf, type RopeTable } from '../spec.js';

/**
 * Position interpolation: every pair is slowed by `factor`.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see Chen et al. 2023, arXiv:2306.15595; kaiokendev 2023; transformers
 *   `_compute_linear_scaling_rope_parameters`
 */
export function computeLinear(spec: RopeSpecOf<'linear'>): RopeTable {
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  return { invFreq: base.map((frequency) => frequency / spec.factor), attentionScaling: 1 };
}

export const linearRope: RopeKind<'linear'> = Object.freeze({
  compute: computeLinear,
  lengthDependent: false,
});

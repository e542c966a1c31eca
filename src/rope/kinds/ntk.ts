import {
  baseFrequencies,
  ntkTheta,
  type RopeKind,
  type RopeSpec,
  type RopeSpecOf,
  type RopeTable,
} from '../spec.js';

/**
 * Static NTK-aware scaling: a larger base, the same at every length. Hunyuan writes it as
 * `dynamic` with `alpha`.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see bloc97 2023 ("NTK-Aware Scaled RoPE"); Peng et al. 2023, arXiv:2309.00071, section 3.1;
 *   transformers `HunYuanDenseV1RotaryEmbedding`
 */
export function computeNtk(spec: RopeSpecOf<'ntk'>): RopeTable {
  const dim = spec.exponentDim ?? spec.rotaryDim;
  return {
    invFreq: baseFrequencies(effectiveTheta(spec), spec.rotaryDim, dim),
    attentionScaling: 1,
  };
}

/**
 * The base that a scaling leaves in the table: static NTK-aware is nothing but a larger theta, and
 * that is how weights know it and every engine can express it.
 */
export function effectiveTheta(rope: RopeSpec): number {
  if (rope.type !== 'ntk') return rope.theta;
  return ntkTheta(rope.theta, rope.alpha, rope.exponentDim ?? rope.rotaryDim);
}

export const ntkRope: RopeKind<'ntk'> = Object.freeze({
  compute: computeNtk,
  lengthDependent: false,
});

import { trim } from '../../text.js';
import { baseFrequencies, defineKind, needsPairs, type RopeBase, type RopeTable } from '../kind.js';

/** Static NTK-aware scaling: theta is replaced by theta * alpha^(d / (d - 2)). */
export interface NtkSpec extends RopeBase {
  readonly type: 'ntk';
  readonly alpha: number;
}

/**
 * Returns the base of NTK-aware scaling, `theta * alpha^(d / (d - 2))`. It divides the slowest pair
 * by exactly alpha and leaves the fastest as it is.
 *
 * @param alpha extension, >= 1
 * @param dim rotated dimensions, > 2 (at 2 the exponent divides by zero)
 * @see bloc97, "NTK-Aware Scaled RoPE", 2023; transformers `_compute_dynamic_ntk_parameters`
 */
export function ntkTheta(theta: number, alpha: number, dim: number): number {
  return theta * Math.pow(alpha, dim / (dim - 2));
}

function effectiveTheta({ theta, alpha, exponentDim, rotaryDim }: NtkSpec): number {
  return ntkTheta(theta, alpha, exponentDim ?? rotaryDim);
}

/**
 * Computes static NTK-aware scaling: a larger base that is the same at every length. Hunyuan writes
 * it as `dynamic` with `alpha`.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see bloc97 2023 ("NTK-Aware Scaled RoPE"); Peng et al. 2023, arXiv:2309.00071, section 3.1;
 *   transformers `HunYuanDenseV1RotaryEmbedding`
 */
export function computeNtk(spec: NtkSpec): RopeTable {
  const dim = spec.exponentDim ?? spec.rotaryDim;
  return {
    invFreq: baseFrequencies(effectiveTheta(spec), spec.rotaryDim, dim),
    attentionScaling: 1,
  };
}

export const ntkRope = defineKind<NtkSpec, 'ntk'>({
  type: 'ntk',
  compute: computeNtk,
  lengthDependent: false,
  // The scaling is only a larger theta, so that is how weights are trained with it and how engines
  // can express it.
  write: () => undefined,
  effectiveTheta,
  shorthands: {
    ntk: {
      params: {},
      make: (_, { base, factor }) => needsPairs(base) ?? { type: 'ntk', ...base, alpha: factor },
    },
  },
  stretched: ({ alpha, theta }, { same, factor, window }) => {
    if (same === undefined) return (alpha / factor) * window;
    // NTK-aware scaling of the same theta continues the one that the weights were trained with.
    return (alpha / (same.theta === theta ? same.alpha : 1)) * window;
  },
  costsLike: 'ntk',
  sentence: ({ alpha }) =>
    `Static NTK-aware scaling with alpha ${trim(alpha, 4)}: theta is raised, so the fastest ` +
    `pair keeps its frequency and the slowest is divided by alpha.`,
});

import { baseFrequencies, type RopeKind, type RopeSpecOf, type RopeTable } from '../spec.js';

/**
 * YaRN's attention temperature on cos and sin: `0.1 * mscale * ln(scale) + 1`; 1 without extension.
 *
 * @see Peng et al. 2023, arXiv:2309.00071, section 3.4 (there as its square on the logits)
 */
export function yarnMscale(scale: number, mscale = 1): number {
  return scale <= 1 ? 1 : 0.1 * mscale * Math.log(scale) + 1;
}

/**
 * Attention scaling of a YaRN block. An explicit attention factor wins; `mscale` and
 * `mscale_all_dim` count only if both are given and not 0 (as in transformers and DeepSeek).
 */
export function yarnAttentionScaling(
  spec: Pick<RopeSpecOf<'yarn'>, 'factor' | 'mscale' | 'mscaleAllDim' | 'attentionFactor'>,
): number {
  if (spec.attentionFactor !== undefined) return spec.attentionFactor;
  if (spec.mscale && spec.mscaleAllDim) {
    return yarnMscale(spec.factor, spec.mscale) / yarnMscale(spec.factor, spec.mscaleAllDim);
  }
  return yarnMscale(spec.factor);
}

/** Index (a real number) of the pair dimension that makes `rotations` turns over the window. */
function dimensionOfRotations(
  rotations: number,
  dim: number,
  theta: number,
  window: number,
): number {
  return (dim * Math.log(window / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
}

/**
 * First and last pair of YaRN's ramp: pairs before `low` keep their frequency, pairs after `high`
 * are slowed by the whole factor. Kept inside 0 … dim - 1 (transformers' bound, though pairs end at
 * dim / 2 - 1), and never empty: equal ends are parted by 0.001.
 */
export function yarnRamp(spec: RopeSpecOf<'yarn'>): { low: number; high: number } {
  const dim = spec.exponentDim ?? spec.rotaryDim;
  let low = dimensionOfRotations(spec.betaFast, dim, spec.theta, spec.originalMaxPositions);
  let high = dimensionOfRotations(spec.betaSlow, dim, spec.theta, spec.originalMaxPositions);
  if (spec.truncate) {
    low = Math.floor(low);
    high = Math.ceil(high);
  }
  low = Math.max(low, 0);
  high = Math.min(high, dim - 1);
  return { low, high: low === high ? high + 0.001 : high };
}

/**
 * YaRN: interpolation by parts (fast pairs kept, slow pairs divided by `factor`, a linear ramp
 * between) and an attention temperature. With attention factor 1 it is "NTK-by-parts".
 *
 * @returns invFreq (rotaryDim / 2,) radians per token
 * @see Peng et al. 2023, arXiv:2309.00071, sections 3.2 and 3.4; transformers
 *   `_compute_yarn_parameters`
 */
export function computeYarn(spec: RopeSpecOf<'yarn'>): RopeTable {
  const { low, high } = yarnRamp(spec);
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  const invFreq = base.map((frequency, pair) => {
    const interpolated = Math.min(Math.max((pair - low) / (high - low), 0), 1);
    return (frequency / spec.factor) * interpolated + frequency * (1 - interpolated);
  });
  return { invFreq, attentionScaling: yarnAttentionScaling(spec) };
}

export const yarnRope: RopeKind<'yarn'> = Object.freeze({
  compute: computeYarn,
  lengthDependent: false,
});

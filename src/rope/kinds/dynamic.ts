import {
  baseFrequencies,
  ntkTheta,
  type RopeKind,
  type RopeSpec,
  type RopeSpecOf,
  type RopeTable,
} from '../spec.js';

/**
 * The extension that dynamic NTK applies at a length: `F * n / W - (F - 1)`, and 1 up to W.
 * Published "dynamic" results have alpha = n / W, which is F = 1.
 *
 * @param sequenceLength n in tokens; undefined or below W counts as W
 */
export function dynamicAlpha(
  factor: number,
  maxPositions: number,
  sequenceLength: number | undefined,
): number {
  const length = Math.max(sequenceLength ?? maxPositions, maxPositions);
  return (factor * length) / maxPositions - (factor - 1);
}

/**
 * NTK-aware scaling recomputed from the sequence length once that exceeds `maxPositions`;
 * plain RoPE before.
 *
 * @param sequenceLength tokens; undefined = as built, which is plain RoPE
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see emozilla 2023 ("Dynamically Scaled RoPE"); transformers `_compute_dynamic_ntk_parameters`
 */
export function computeDynamic(
  spec: RopeSpecOf<'dynamic'>,
  sequenceLength: number | undefined,
): RopeTable {
  const dim = spec.exponentDim ?? spec.rotaryDim;
  const alpha = dynamicAlpha(spec.factor, spec.maxPositions, sequenceLength);
  // At alpha 1 the base is theta itself, also for two dimensions, where the exponent has no value.
  const theta = alpha === 1 ? spec.theta : ntkTheta(spec.theta, alpha, dim);
  return { invFreq: baseFrequencies(theta, spec.rotaryDim, dim), attentionScaling: 1 };
}

/** The alpha of engines with one table for every length: that of F W tokens, `F^2 - F + 1`. */
export function staticAlpha(factor: number): number {
  return dynamicAlpha(factor, 1, factor);
}

/**
 * Dynamic scaling as engines with one table compute it: the table of `factor * maxPositions`
 * tokens at every length, alpha = F^2 - F + 1. At factor 1 that is no scaling at all.
 *
 * @see vLLM `DynamicNTKScalingRotaryEmbedding` (vllm-project/vllm#41236); docs/engines.md
 */
export function staticForm(spec: RopeSpecOf<'dynamic'>): RopeSpec {
  const { theta, rotaryDim, exponentDim, factor } = spec;
  const base = { theta, rotaryDim, ...(exponentDim === undefined ? {} : { exponentDim }) };
  const alpha = staticAlpha(factor);
  return alpha === 1 ? { ...base, type: 'default' } : { ...base, type: 'ntk', alpha };
}

export const dynamicRope: RopeKind<'dynamic'> = Object.freeze({
  compute: computeDynamic,
  lengthDependent: true,
});

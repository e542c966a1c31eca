import { baseFrequencies, type RopeKind, type RopeSpecOf, type RopeTable } from '../spec.js';

/**
 * Llama 3.1 scaling: pairs that turn more than `highFreqFactor` times over the original window are
 * kept, pairs that turn less than `lowFreqFactor` times are slowed by `factor`, and the share in
 * between follows the number of turns. With both factors equal (Llama 4 Scout) the band between
 * has no width and a pair exactly on it is slowed: there is no 0 / 0.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see Llama 3.1 reference code, `apply_scaling`; Grattafiori et al. 2024, arXiv:2407.21783;
 *   transformers `_compute_llama3_parameters`
 */
export function computeLlama3(spec: RopeSpecOf<'llama3'>): RopeTable {
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions } = spec;
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  const invFreq = base.map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low || high <= low) return frequency / factor;
    const kept = (turns - low) / (high - low);
    return ((1 - kept) * frequency) / factor + kept * frequency;
  });
  return { invFreq, attentionScaling: 1 };
}

export const llama3Rope: RopeKind<'llama3'> = Object.freeze({
  compute: computeLlama3,
  lengthDependent: false,
});

import { baseFrequencies, defineKind, type RopeBase, type RopeTable } from '../kind.js';

/** Plain RoPE, without any scaling. */
export interface DefaultSpec extends RopeBase {
  readonly type: 'default';
}

/**
 * Computes RoPE without a scaling.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see Su et al. 2021, arXiv:2104.09864; transformers `compute_default_rope_parameters`
 */
export function computeDefault(spec: RopeBase): RopeTable {
  return {
    invFreq: baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim),
    attentionScaling: 1,
  };
}

export const defaultRope = defineKind<DefaultSpec>({
  type: 'default',
  compute: computeDefault,
  lengthDependent: false,
  block: {
    keys: [],
    read: ({ base }) => ({
      rope: { type: 'default', ...base },
      originalMaxPositions: undefined,
      findings: [],
    }),
  },
  write: () => undefined,
  shorthands: {},
  stretched: () => 0,
  costsLike: 'ntk',
  sentence: () => 'Plain RoPE: no scaling.',
});

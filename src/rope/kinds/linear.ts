import { trim } from '../../text.js';
import { baseFrequencies, defineKind, readFactor, type RopeBase, type RopeTable } from '../kind.js';

/** Position interpolation, which divides every frequency by the factor. */
export interface LinearSpec extends RopeBase {
  readonly type: 'linear';
  readonly factor: number;
}

/**
 * Computes position interpolation: every frequency is divided by `factor`.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see Chen et al. 2023, arXiv:2306.15595; kaiokendev 2023; transformers
 *   `_compute_linear_scaling_rope_parameters`
 */
export function computeLinear(spec: LinearSpec): RopeTable {
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  return { invFreq: base.map((frequency) => frequency / spec.factor), attentionScaling: 1 };
}

export const linearRope = defineKind<LinearSpec, 'linear'>({
  type: 'linear',
  compute: computeLinear,
  lengthDependent: false,
  block: {
    keys: ['factor'],
    read: ({ block, base }) => {
      const { value: factor, findings } = readFactor(block.fields);
      return {
        rope: { type: 'linear', ...base, factor },
        originalMaxPositions: undefined,
        findings,
      };
    },
  },
  write: ({ factor }) => ({ rope_type: 'linear', factor }),
  // Engines multiply this limit by the factor, so it must be the unscaled window even if the file
  // has a larger one.
  limitBeside: (_, { window }) => window,
  shorthands: {
    linear: {
      params: {},
      make: (_, { base, factor }) => ({ type: 'linear', ...base, factor }),
    },
  },
  extension: ({ factor }) => ({ factor }),
  stretched: ({ factor }, trained) => (factor / trained.factor) * trained.window,
  costsLike: 'linear',
  sentence: ({ factor }) =>
    `Position interpolation: every frequency is divided by ${trim(factor, 4)}, near tokens included.`,
});

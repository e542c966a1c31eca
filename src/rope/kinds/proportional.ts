import { percent, trim } from '../../text.js';
import {
  baseFrequencies,
  defineKind,
  readFactor,
  refuse,
  type RopeBase,
  type RopeTable,
} from '../kind.js';

/** Proportional RoPE (Gemma 4): the first pairs turn and the rest stand still (frequency 0). */
export interface ProportionalSpec extends RopeBase {
  readonly type: 'proportional';
  readonly partialRotaryFactor: number;
  readonly factor: number;
}

/**
 * Computes proportional RoPE (Gemma 4). The exponent runs over the whole head, but only the first
 * share of the pairs turns; the rest has frequency 0.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token, zeros at the end; attention scaling 1
 * @see transformers `_compute_proportional_rope_parameters`
 */
export function computeProportional(spec: ProportionalSpec): RopeTable {
  const turning = Math.floor((spec.partialRotaryFactor * spec.rotaryDim) / 2);
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  return {
    invFreq: base.map((frequency, pair) => (pair < turning ? frequency / spec.factor : 0)),
    attentionScaling: 1,
  };
}

export const proportionalRope = defineKind<ProportionalSpec>({
  type: 'proportional',
  compute: computeProportional,
  lengthDependent: false,
  block: {
    keys: ['factor'],
    read: ({ block, base }) => {
      const { value: factor, findings } = block.fields.given('factor')
        ? readFactor(block.fields)
        : { value: 1, findings: [] };
      return {
        rope: { type: 'proportional', ...base, partialRotaryFactor: block.partial ?? 1, factor },
        originalMaxPositions: undefined,
        findings,
      };
    },
  },
  write: ({ partialRotaryFactor, factor }) => ({
    rope_type: 'proportional',
    partial_rotary_factor: partialRotaryFactor,
    factor,
  }),
  shorthands: {},
  stretched: () => 0,
  // The pairs that stand still belong to the architecture, so only a factor or another theta can be
  // written.
  architecture: {
    unscaled: (spec) => ({ ...spec, factor: 1 }),
    scaled: (spec, { method, factor }) =>
      method === 'linear'
        ? { ...spec, factor: spec.factor * factor }
        : refuse(
            'unsupported_candidate',
            'this model has proportional RoPE, whose still pairs no other rope type keeps',
            'linear:F and theta:X can be written for it',
          ),
  },
  costsLike: 'by-parts',
  sentence: ({ partialRotaryFactor, factor }) => {
    const divided = factor === 1 ? '' : `; the frequencies are divided by ${trim(factor, 4)}`;
    return (
      `Proportional RoPE: the first ${percent(partialRotaryFactor)} of the pairs turn, ` +
      `the others stand still${divided}.`
    );
  },
});

import { trim } from '../../text.js';
import {
  baseFrequencies,
  defineKind,
  numberParam,
  type RopeBase,
  type RopeTable,
} from '../kind.js';

/** NTK-RoPE-mixed: each pair has its own divisor, which grows towards the slowest. */
export interface NtkMixedSpec extends RopeBase {
  readonly type: 'ntk-mixed';
  readonly factor: number;
  /** Exponent of the growth, above 0. At 1 all pairs share one base, as in the NTK-fixed form. */
  readonly mixedB: number;
}

/** The exponent that Su chose. A smaller one divides the fast pairs more. */
const DEFAULT_MIXED_B = 0.625;

/**
 * Computes NTK-RoPE-mixed. Pair m of M, counted from 1, is divided by `exp(a m^b)` with `a =
 * ln(factor) / M^b`, so that the slowest pair is divided by exactly the factor.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see Su Jianlin 2023, kexue.fm/archives/9706; vLLM `NTKScalingRotaryEmbedding` with `mixed_b`
 */
export function computeNtkMixed({
  theta,
  rotaryDim,
  exponentDim,
  factor,
  mixedB,
}: NtkMixedSpec): RopeTable {
  const a = Math.log(factor) / Math.pow(rotaryDim / 2, mixedB);
  const base = baseFrequencies(theta, rotaryDim, exponentDim);
  return {
    invFreq: base.map((frequency, pair) => frequency / Math.exp(a * Math.pow(pair + 1, mixedB))),
    attentionScaling: 1,
  };
}

export const ntkMixedRope = defineKind<NtkMixedSpec, 'ntk-mixed'>({
  type: 'ntk-mixed',
  compute: computeNtkMixed,
  lengthDependent: false,
  // transformers has no block of this type; this is vLLM's, which it calls `ntk`.
  write: ({ factor, mixedB }) => ({ rope_type: 'ntk', factor, mixed_b: mixedB }),
  shorthands: {
    'ntk-mixed': {
      params: { mixed_b: 'number' },
      make: (request, { base, factor, same }) => ({
        type: 'ntk-mixed',
        ...base,
        factor,
        mixedB: numberParam(request, 'mixed_b') ?? same?.mixedB ?? DEFAULT_MIXED_B,
      }),
    },
  },
  extension: ({ factor }) => ({ factor }),
  stretched: ({ factor }, trained) => (factor / trained.factor) * trained.window,
  costsLike: 'ntk',
  sentence: ({ factor, mixedB, rotaryDim }) =>
    `NTK-mixed scaling with factor ${trim(factor, 4)} and exponent ${trim(mixedB, 4)}: pair m of ` +
    `${rotaryDim / 2} is divided by ${trim(factor, 4)}^((m/${rotaryDim / 2})^${trim(mixedB, 4)}), ` +
    `the fastest hardly and the slowest by the whole factor.`,
});

import { fail } from '../../json/parse.js';
import { tokens, trim } from '../../text.js';
import {
  baseFrequencies,
  baseOf,
  defineKind,
  FACTOR_RULE,
  needsPairs,
  readFactor,
  type Reading,
  type RopeBase,
  type RopeTable,
  type ScalingInput,
} from '../kind.js';
import type { DefaultSpec } from './default.js';
import { type NtkSpec, ntkTheta } from './ntk.js';

/** Dynamic NTK-aware scaling: alpha follows the sequence length beyond maxPositions. */
export interface DynamicSpec extends RopeBase {
  readonly type: 'dynamic';
  readonly factor: number;
  /** Tokens. */
  readonly maxPositions: number;
}

/**
 * Returns the alpha that dynamic NTK applies at a length: `F * n / W - (F - 1)`, and 1 up to W.
 * Published "dynamic" results use alpha = n / W, which is F = 1.
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
 * Computes NTK-aware scaling whose alpha follows the sequence length once that exceeds
 * `maxPositions`, and plain RoPE up to there.
 *
 * @param sequenceLength tokens; undefined = at construction, which is plain RoPE
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see emozilla 2023 ("Dynamically Scaled RoPE"); transformers `_compute_dynamic_ntk_parameters`
 */
export function computeDynamic(spec: DynamicSpec, sequenceLength: number | undefined): RopeTable {
  const dim = spec.exponentDim ?? spec.rotaryDim;
  const alpha = dynamicAlpha(spec.factor, spec.maxPositions, sequenceLength);
  // At alpha 1 the base is theta itself. That includes heads of two dimensions, where the exponent
  // of ntkTheta is undefined.
  const theta = alpha === 1 ? spec.theta : ntkTheta(spec.theta, alpha, dim);
  return { invFreq: baseFrequencies(theta, spec.rotaryDim, dim), attentionScaling: 1 };
}

/**
 * Returns the static scaling that engines with one table use in place of a dynamic one: the table of
 * `length` tokens at every length. An engine that reads a dynamic block takes `factor *
 * maxPositions` for it, so that alpha is F^2 - F + 1. At factor 1 that is plain RoPE.
 *
 * @param length tokens
 * @see vLLM `DynamicNTKScalingRotaryEmbedding` (vllm-project/vllm#41236); docs/engines.md
 */
export function staticForm(
  spec: DynamicSpec,
  length = spec.factor * spec.maxPositions,
): NtkSpec | DefaultSpec {
  const base = baseOf(spec);
  const alpha = dynamicAlpha(spec.factor, spec.maxPositions, length);
  return alpha === 1 ? { ...base, type: 'default' } : { ...base, type: 'ntk', alpha };
}

/**
 * Reads a dynamic block. Hunyuan writes static NTK as `dynamic` with `alpha`. Its dialect lists
 * that key in `extraKeys`; for every other model the key is unknown.
 */
function readDynamic({ block, context, base }: ScalingInput): Reading<DynamicSpec | NtkSpec> {
  const { fields } = block;
  const { value: factor, findings } = readFactor(fields);
  const originalMaxPositions = undefined;
  if (base.rotaryDim <= 2) {
    fail('invalid_value', fields.at('rope_type'), 'dynamic scaling needs more than one pair');
  }
  if (block.extraKeys?.includes('alpha') === true && fields.raw('alpha')) {
    const alpha = fields.number('alpha', FACTOR_RULE);
    if (alpha !== undefined) {
      return { rope: { type: 'ntk', ...base, alpha }, originalMaxPositions, findings };
    }
  }
  if (!context.maxPositionsGiven) {
    fail(
      'missing_field',
      'max_position_embeddings',
      'is missing, and dynamic scaling starts where a sequence exceeds it',
    );
  }
  const { maxPositions } = context;
  return {
    rope: { type: 'dynamic', ...base, factor, maxPositions },
    originalMaxPositions,
    findings,
  };
}

export const dynamicRope = defineKind<DynamicSpec, 'dynamic', DynamicSpec | NtkSpec>({
  type: 'dynamic',
  compute: computeDynamic,
  lengthDependent: true,
  block: { keys: ['factor'], read: readDynamic },
  write: ({ factor }) => ({ rope_type: 'dynamic', factor }),
  limitBeside: ({ maxPositions }) => maxPositions,
  shorthands: {
    dynamic: {
      params: {},
      // The formula is transformers' own, alpha = F n / W - (F - 1), where W is the unscaled
      // window.
      make: (request, { base, window }) =>
        needsPairs(base) ?? {
          type: 'dynamic',
          ...base,
          factor: request.factor,
          maxPositions: window,
        },
    },
  },
  // The table adapts to every length, so the scaling has no limit. Serving engines multiply the
  // window by the factor.
  stretched: ({ factor, maxPositions }, { window }) => factor * Math.min(maxPositions, window),
  costsLike: 'ntk',
  sentence: ({ factor, maxPositions }) =>
    `Dynamic NTK-aware scaling with factor ${trim(factor, 4)}: plain RoPE up to ` +
    `${tokens(maxPositions)} tokens; above, theta is recomputed from the length.`,
});

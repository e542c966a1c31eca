import { yarnMscale } from '../rope/yarn.js';
import { BOUNDS } from './bounds.js';
import type { Shape, Source } from './source.js';
import type { LayerGroup } from './types.js';

/** A family's multiplier on q·k. */
export interface SoftmaxRule {
  /** Dimension under the root, where it is not head_dim (latent attention: nope + rope). */
  readonly queryDim?: (source: Source, shape: Shape) => number | undefined;
  /** DeepSeek-V3: a YaRN block multiplies the scale by mscale(factor, mscale_all_dim) squared. */
  readonly yarnMscaleSquared?: boolean;
}

export interface SoftmaxScales {
  readonly softmaxScale: number;
  readonly unscaledSoftmaxScale: number;
}

/**
 * The multiplier on q·k before the softmax, as configured and without the scaling block.
 *
 * `attention_multiplier` (Granite) is the scale itself, `query_pre_attn_scalar` (Gemma) stands
 * under the root; otherwise 1 / sqrt(head dimension). A class may fix the scale (Gemma 4: 1), or
 * have a value of its own for a config without the key.
 *
 * @see transformers `yarn_apply_mscale` of DeepSeek-V3
 */
export function softmaxScales(
  source: Source,
  shape: Shape,
  global: LayerGroup | undefined,
  rule: SoftmaxRule = {},
): SoftmaxScales {
  const { fields } = source;
  const scale = { above: 0, max: BOUNDS.width };
  const multiplier = fields.nullableNumber('attention_multiplier', scale);
  const underRoot = fields.nullableNumber('query_pre_attn_scalar', scale);
  const own = source.defaults?.softmax;
  const root = underRoot ?? rule.queryDim?.(source, shape) ?? own?.underRoot ?? shape.headDim;
  // A key that is given beats the class's value for another key.
  const classMultiplier = underRoot === undefined ? own?.multiplier : undefined;
  const unscaled = own?.fixed ?? multiplier ?? classMultiplier ?? 1 / Math.sqrt(root);
  const rope = global?.rope;
  if (rule.yarnMscaleSquared !== true || rope?.type !== 'yarn' || !rope.mscaleAllDim) {
    return { softmaxScale: unscaled, unscaledSoftmaxScale: unscaled };
  }
  const mscale = yarnMscale(rope.factor, rope.mscaleAllDim);
  return { softmaxScale: unscaled * mscale * mscale, unscaledSoftmaxScale: unscaled };
}

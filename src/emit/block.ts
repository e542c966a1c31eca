import { isRecord } from '../json/parse.js';
import type { Block } from '../rope/kind.js';
import { attnFactorOf, rampKeys } from '../rope/kinds/yarn.js';
import { effectiveTheta, scalingBlock, type RopeSpec } from '../rope/registry.js';
import { own, shapeOf } from './config-file.js';
import type { EmitInput } from './types.js';

/**
 * The block for vLLM and SGLang. They drop `attention_factor`, and `mscale` outside of the models
 * that came with it, so that the attention scaling is written the way they read it.
 *
 * @param latent multi-head latent attention: those models read `mscale` themselves
 */
export function servingBlock(rope: RopeSpec, latent: boolean): Block {
  const theta = { rope_theta: effectiveTheta(rope) };
  if (rope.type !== 'yarn' || latent) {
    return { ...(scalingBlock(rope) ?? { rope_type: 'default' }), ...theta };
  }
  const attnFactor = attnFactorOf(rope);
  return {
    rope_type: 'yarn',
    factor: rope.factor,
    original_max_position_embeddings: rope.originalMaxPositions,
    ...rampKeys(rope),
    ...(Math.abs(attnFactor - 1) < 1e-9 ? {} : { attn_factor: attnFactor }),
    ...theta,
  };
}

/** Keys beside the scaling that must survive a new block: they say how the model is built. */
const KEPT_KEYS = ['mrope_section', 'mrope_interleaved', 'partial_rotary_factor'];

export function keptKeys(block: unknown): Block {
  if (typeof block !== 'object' || block === null || Array.isArray(block)) return {};
  return Object.fromEntries(Object.entries(block).filter(([key]) => KEPT_KEYS.includes(key)));
}

/**
 * `rope_scaling` as an override. Overrides only set keys, so that the block of the file stays in
 * force until null takes its place.
 *
 * @param block what the scaling says; its rope type is `default` where theta says it all
 * @param stale whether a block is in force that must not be
 * @returns undefined: the key need not be set
 */
export function scalingOverride(block: Block, stale: boolean): Block | null | undefined {
  const describes = Object.keys(block).some((key) => key !== 'rope_type' && key !== 'rope_theta');
  // What describes the model needs a block to stand in.
  if (block['rope_type'] !== 'default' || describes) return block;
  return stale ? null : undefined;
}

/** Whether the file has a block, or the model's class one of its own. */
export function hasBlock({ raw, geometry }: EmitInput): boolean {
  const { at } = shapeOf(raw);
  const written = ['rope_scaling', 'rope_parameters'].some((key) => {
    const block = own(at, key);
    return isRecord(block) && Object.keys(block).length > 0;
  });
  return written || geometry.groups.some(({ rope }) => rope.type !== 'default');
}

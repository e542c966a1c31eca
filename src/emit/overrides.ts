import { isRecord } from '../config/json.js';
import type { Block } from './block.js';
import { own, shapeOf } from './config-shape.js';
import type { EmitInput } from './types.js';

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

import type { RopeSpec } from '../rope/types.js';
import type { EmitInput } from './types.js';

/**
 * How serving engines work out the maximum length from a config. They differ, and the config that
 * is right for one is doubled by another.
 */

/**
 * vLLM: YaRN's original window x factor; `max_position_embeddings` for llama3 and longrope, and for
 * Gemma 3 whatever the block says; any other scaling's factor multiplies `max_position_embeddings`,
 * even where that was raised already.
 *
 * @see vllm/config/model.py `_get_and_verify_max_len`
 */
export function vllmLength(rope: RopeSpec, maxPositions: number, modelType: string): number {
  if (modelType.includes('gemma3')) return maxPositions;
  if (rope.type === 'yarn') return rope.originalMaxPositions * rope.factor;
  if (rope.type === 'linear' || rope.type === 'dynamic') return maxPositions * rope.factor;
  return maxPositions;
}

/**
 * SGLang: the factor counts only where the block has no `original_max_position_embeddings`, so
 * YaRN leaves the length at `max_position_embeddings`.
 *
 * @see python/sglang/srt/utils/hf_transformers_utils.py `get_context_length`
 */
export function sglangLength(rope: RopeSpec, maxPositions: number): number {
  if (rope.type === 'linear' || rope.type === 'dynamic') return maxPositions * rope.factor;
  return maxPositions;
}

/**
 * `max_position_embeddings` to write beside a scaling. Linear and dynamic get the window of the
 * weights, also where the file has raised it: engines multiply it by the factor, and the block has
 * no other place for it. YaRN's block names that window itself. The others have no block that could
 * say how long the context is.
 */
export function maxPositionsFor(input: EmitInput): number {
  const { rope } = input.groups[0];
  const current = input.geometry.maxPositions;
  switch (rope.type) {
    case 'dynamic':
      return rope.maxPositions;
    case 'linear':
      return baseWindow(input);
    case 'yarn':
      return current;
    case 'llama3':
    case 'longrope':
    case 'ntk':
    case 'default':
    case 'proportional':
      return Math.max(current, input.length);
  }
}

/**
 * Tokens that the base frequencies cover: the trained window, or what lay under the scaling that
 * the weights were trained with, where a new block takes its place.
 */
function baseWindow({ geometry, reference }: EmitInput): number {
  const trained = geometry.groups[0]?.rope;
  const under = trained && 'originalMaxPositions' in trained && trained.originalMaxPositions;
  return (reference.kind === 'configured' && under) || reference.trainedWindow;
}

/**
 * Whether `max_position_embeddings` may be raised to admit a longer request: not where the engine
 * multiplies it by the factor, and never for dynamic, which computes its frequencies from it.
 */
export function mayRaiseLimit(rope: RopeSpec, derived: number, maxPositions: number): boolean {
  return rope.type !== 'dynamic' && derived === maxPositions;
}

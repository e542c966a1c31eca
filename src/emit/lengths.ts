import { referenceSpecs } from '../model/reference.js';
import { kindOf, type RopeSpec, stretchedWindow } from '../rope/registry.js';
import type { EmitInput, Note } from './types.js';

/**
 * How serving engines work out the maximum length from a config. They differ, and the config that
 * is right for one is doubled by another.
 */

/** What an engine makes the maximum length from: `max_position_embeddings`, or a factor times it. */
export type LengthRule = 'max' | 'factor-max' | 'factor-original';

/**
 * vLLM: YaRN's original window x factor; `max_position_embeddings` for llama3 and longrope, and for
 * Gemma 3 whatever the block says; any other scaling's factor multiplies `max_position_embeddings`,
 * even where that was raised already.
 *
 * @see vllm/config/model.py `_get_and_verify_max_len`
 */
export function vllmRule(rope: RopeSpec, modelType: string): LengthRule {
  if (modelType.includes('gemma3')) return 'max';
  return rope.type === 'yarn' ? 'factor-original' : sglangRule(rope);
}

/**
 * SGLang: the factor counts only where the block has no `original_max_position_embeddings`, so
 * YaRN leaves the length at `max_position_embeddings`.
 *
 * @see python/sglang/srt/utils/hf_transformers_utils.py `get_context_length`
 */
export function sglangRule(rope: RopeSpec): LengthRule {
  return rope.type === 'linear' || rope.type === 'dynamic' ? 'factor-max' : 'max';
}

function derivedLength(rule: LengthRule, rope: RopeSpec, maxPositions: number): number {
  if (rule === 'factor-original' && rope.type === 'yarn') {
    return Math.floor(rope.originalMaxPositions * rope.factor);
  }
  if (rule === 'factor-max' && 'factor' in rope) return Math.floor(maxPositions * rope.factor);
  return maxPositions;
}

/**
 * `max_position_embeddings` to write beside a scaling: what its kind asks for, or the length to be
 * served where no block could say how long the context is.
 */
export function maxPositionsFor(input: EmitInput): number {
  const { rope } = input.groups[0];
  const written = input.geometry.maxPositions;
  const lengths = { written, window: baseWindow(input) };
  return kindOf(rope).limitBeside?.(rope, lengths) ?? Math.max(written, input.length);
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

/** What an engine serves, and whether a raised `max_position_embeddings` is what admits more. */
export interface Limit {
  readonly rule: LengthRule;
  /** Tokens that the engine would serve with the file's `max_position_embeddings`. */
  readonly derived: number;
  readonly raised: boolean;
  /** More is asked for than the engine takes. */
  readonly refused: boolean;
}

export function limitOf({ groups, geometry, length }: EmitInput, rule: LengthRule): Limit {
  const { rope } = groups[0];
  const derived = derivedLength(rule, rope, geometry.maxPositions);
  const short = derived < length;
  // Of no use where the length is made from something else, and dynamic computes its frequencies
  // from it.
  const raised = short && rule === 'max' && rope.type !== 'dynamic';
  return { rule, derived, raised, refused: short && !raised };
}

/**
 * Says where the scaling stretches the window to less than what is to be served: engines that are
 * told the length by an option of their own do not compare the two.
 */
export function coverageNotes(input: EmitInput): Note[] {
  const covered = coveredLength(input);
  if (covered === undefined || covered >= input.length) return [];
  return [
    {
      kind: 'needs',
      text: `${input.label} covers ${covered} tokens only, and ${input.length} are to be served; choose a larger factor.`,
    },
  ];
}

/** Tokens; undefined where the scaling says nothing about a length, or follows it (dynamic). */
function coveredLength({ geometry, groups, reference }: EmitInput): number | undefined {
  const { rope } = groups[0];
  const [trained] = referenceSpecs(geometry, geometry, reference);
  const says =
    rope.type === 'yarn' ||
    rope.type === 'linear' ||
    // Where a trained-in scaling makes way, its part of the larger theta is not known here.
    (rope.type === 'ntk' && trained?.type === 'default');
  return says ? Math.round(stretchedWindow(rope, trained, reference.trainedWindow)) : undefined;
}

import { finding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';
import type { RopeSpec } from '../rope/types.js';
import { didYouMean, suggest } from '../suggest.js';
import { BOUNDS } from './bounds.js';
import { fail, show } from './fail.js';
import type { Fields } from './fields.js';
import { rotaryDimensions } from './rotary-dim.js';
import { SCALING_READERS, type ScalingInput } from './scaling-types.js';

/** A rope block together with what lies around it. */
export interface RopeBlock {
  /** The block itself; empty for a config without one. */
  readonly fields: Fields;
  /** Type after aliases, e.g. `yarn`; may be unknown. */
  readonly type: string;
  readonly theta: number;
  /** partial_rotary_factor that applies, if any is given. */
  readonly partial: number | undefined;
  /** `original_max_position_embeddings` outside the block, which beats the one inside. */
  readonly outerOriginal: number | undefined;
  /** Whether the block belongs to one layer type. */
  readonly nested: boolean;
  /** Keys that this model family adds to the block and reads elsewhere. */
  readonly extraKeys?: readonly string[];
}

export interface ScalingContext {
  readonly modelType: string;
  readonly headDim: number;
  readonly usesPartial: boolean;
  readonly maxPositions: number;
  /** false: a class default; dynamic must not be built on it. */
  readonly maxPositionsGiven: boolean;
  readonly findings: Finding[];
}

/** A configured table, its unscaled twin, and the original window where one is written. */
export interface ReadRope {
  readonly rope: RopeSpec;
  readonly unscaled: RopeSpec;
  readonly originalMaxPositions: number | undefined;
}

/** Keys that may stand in every block. */
const COMMON_KEYS = [
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  // Multimodal models split the pairs among time, height and width; the frequencies stay.
  'mrope_section',
  'mrope_interleaved',
  'interleaved',
  // Read by the attention of Ministral 3, not by its RoPE.
  'llama_4_scaling_beta',
  'max_position_embeddings',
] as const;

/**
 * Reads one block into a spec.
 *
 * @throws RopeEvalError for values that have no meaning; what transformers would compute in
 *   silence becomes a finding
 */
export function readScaling(block: RopeBlock, context: ScalingContext): ReadRope {
  const reader = SCALING_READERS.get(block.type);
  if (reader === undefined) {
    fail(
      'unknown_rope_type',
      block.fields.at(block.fields.has('rope_type') ? 'rope_type' : 'type'),
      `${show(block.type)} is not a rope type${didYouMean(block.type, SCALING_READERS.keys())}`,
      `known types: ${[...SCALING_READERS.keys()].join(', ')}`,
    );
  }
  const dims = rotaryDimensions(block, context);
  const input: ScalingInput = {
    block,
    context,
    base: { theta: block.theta, ...dims },
  };
  const { rope, originalMaxPositions } = reader.read(input);
  reportUnreadKeys(block, reader.keys, context);
  const unscaled: RopeSpec =
    rope.type === 'proportional'
      ? { ...rope, factor: 1 }
      : { type: 'default', theta: block.theta, ...dims };
  return { rope, unscaled, originalMaxPositions };
}

/** Keys of the block that nothing reads: a scaling without a type, or unknown keys. */
function reportUnreadKeys(
  block: RopeBlock,
  typeKeys: readonly string[],
  context: ScalingContext,
): void {
  const { fields, type } = block;
  const known: readonly string[] = [...COMMON_KEYS, ...typeKeys, ...(block.extraKeys ?? [])];
  const unread = Object.keys(fields.record).filter((key) => !known.includes(key));
  if (unread.length === 0) return;
  const untyped = type === 'default' && !fields.given('rope_type') && !fields.given('type');
  const scalingKeys = [...SCALING_READERS.values()].flatMap((reader) => reader.keys);
  if (untyped && unread.some((key) => scalingKeys.includes(key))) {
    context.findings.push(
      finding('missing_rope_type', fields.path, { keys: unread.join(', '), type }),
    );
    return;
  }
  for (const key of unread.slice(0, MAX_REPORTED_KEYS)) {
    if (key === 'original_max_position_embeddings') {
      context.findings.push(reportOriginalUnused(fields, type, context));
      continue;
    }
    const meant = suggest(
      key,
      known.filter((name) => name !== 'type' && !fields.has(name)),
    );
    context.findings.push(
      finding('unknown_key', fields.at(key), { type, ...(meant && { suggestion: meant }) }),
    );
  }
}

/** More findings of one kind tell nobody anything new. */
const MAX_REPORTED_KEYS = 20;

function reportOriginalUnused(fields: Fields, type: string, context: ScalingContext): Finding {
  const path = fields.at('original_max_position_embeddings');
  const original = fields.raw('original_max_position_embeddings');
  if (type === 'dynamic' && typeof original === 'number' && original > 0) {
    const ratio = context.maxPositions / original;
    if (ratio > 1) {
      const max = context.maxPositions;
      return finding('double_scaling', path, { type, original, max, ratio: round(ratio) });
    }
  }
  return finding('original_unused', path, { type });
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

/** The rule for a theta anywhere in a config. */
export const THETA_RULE = Object.freeze({ above: 0, max: BOUNDS.theta });

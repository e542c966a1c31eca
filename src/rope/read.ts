import { finding, type Finding } from '../findings/index.js';
import type { Fields } from '../json/fields.js';
import { BOUNDS, fail, show } from '../json/parse.js';
import { didYouMean, suggest } from '../text.js';
import type { Read, Reading, RopeBase, RopeBlock, ScalingContext, ScalingInput } from './kind.js';
import { ROPE_KINDS, type RopeSpec, unscaledSpec } from './registry.js';

/** A configured table, the same without its scaling, and the original window if written. */
export interface ReadRope extends Reading<RopeSpec> {
  readonly unscaled: RopeSpec;
}

interface BlockReader {
  readonly keys: readonly string[];
  readonly read: (input: ScalingInput) => Reading<RopeSpec>;
}

/**
 * Readers by transformers' rope type. This is a Map because the type is untrusted and may be the
 * name of an inherited property.
 */
const READERS: ReadonlyMap<string, BlockReader> = new Map(
  Object.values(ROPE_KINDS).flatMap((kind): [string, BlockReader][] =>
    kind.block === undefined ? [] : [[kind.type, kind.block]],
  ),
);

/** Keys that may appear in every block. */
const COMMON_KEYS = [
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  // Multimodal models split the pairs among time, height and width; the frequencies do not change.
  'mrope_section',
  'mrope_interleaved',
  'interleaved',
  // The attention of Ministral 3 reads this key; its RoPE does not.
  'llama_4_scaling_beta',
  'max_position_embeddings',
] as const;

/**
 * Advises on a block of type `ntk`, which only vLLM reads. Without `mixed_b`, vLLM computes the
 * form with one shared base, whose exponent is 1.
 *
 * @see vLLM `NTKScalingRotaryEmbedding`
 */
function vllmsNtk(fields: Fields): string {
  const { factor, mixed_b: exponent } = fields.record;
  const said =
    typeof factor === 'number'
      ? `ntk-mixed:${factor}:mixed_b=${typeof exponent === 'number' ? exponent : 1}`
      : 'ntk-mixed:FACTOR:mixed_b=1';
  return `vLLM alone has this type, and transformers refuses the file: take the block out, and name what it means as a candidate, ${said} (emit --engine vllm writes it as an override)`;
}

/**
 * Reads one block into a spec. What transformers would silently compute from a questionable value
 * becomes a finding.
 *
 * @throws RopeEvalError for values that have no meaning
 */
export function readScaling(block: RopeBlock, context: ScalingContext): ReadRope {
  const reader = READERS.get(block.type);
  if (reader === undefined) {
    fail(
      'unknown_rope_type',
      block.fields.at(block.fields.has('rope_type') ? 'rope_type' : 'type'),
      `${show(block.type)} is not a rope type${didYouMean(block.type, READERS.keys())}`,
      block.type === 'ntk'
        ? vllmsNtk(block.fields)
        : `known types: ${[...READERS.keys()].join(', ')}`,
    );
  }
  const dims = rotaryDimensions(block, context);
  const base: RopeBase = { theta: block.theta, ...dims.value };
  const { rope, originalMaxPositions, findings } = reader.read({ block, context, base });
  return {
    rope,
    unscaled: unscaledSpec(rope),
    originalMaxPositions,
    findings: [...dims.findings, ...findings, ...unreadKeys(block, reader.keys, context)],
  };
}

/** Rotated dimensions of a head, with `exponentDim` if they were rounded up to even. */
type RotaryDimensions = Pick<RopeBase, 'rotaryDim' | 'exponentDim'>;

/**
 * Computes int(head_dim * partial_rotary_factor). Many classes ignore the factor when there is no
 * scaling. Proportional RoPE keeps the whole head and applies the share itself.
 *
 * @throws RopeEvalError `out_of_range` for a factor outside (0, 1] or one that leaves no pair,
 *   `odd_rotary_dim` for a fully rotated odd head
 */
function rotaryDimensions(block: RopeBlock, context: ScalingContext): Read<RotaryDimensions> {
  const { headDim } = context;
  const partial = block.partial ?? 1;
  const path = 'partial_rotary_factor';
  if (!(partial > 0 && partial <= 1)) {
    fail('out_of_range', path, `must be above 0 and at most 1, found ${partial}`);
  }
  const ignored = block.type === 'default' && !context.usesPartial;
  const findings =
    ignored && partial !== 1
      ? [finding('partial_ignored', path, { partial, model: context.modelType })]
      : [];
  const whole = ignored || block.type === 'proportional';
  const dim = whole ? headDim : Math.trunc(headDim * partial);
  if (dim < 1 || dim > BOUNDS.headDim) {
    fail('out_of_range', path, `${partial} of a head of ${headDim} dimensions leaves ${dim}`);
  }
  if (dim % 2 === 0) return { value: { rotaryDim: dim }, findings };
  if (dim === headDim) {
    fail(
      'odd_rotary_dim',
      'head_dim',
      `a head of ${headDim} dimensions cannot be rotated in pairs`,
      'the rotated dimensions must be even: head_dim, or hidden_size / num_attention_heads',
    );
  }
  return { value: { rotaryDim: dim + 1, exponentDim: dim }, findings };
}

/** Reports keys of a block that nothing reads: of a scaling without a rope type, or unknown. */
function unreadKeys(
  block: RopeBlock,
  typeKeys: readonly string[],
  context: ScalingContext,
): readonly Finding[] {
  const { fields, type } = block;
  const known: readonly string[] = [...COMMON_KEYS, ...typeKeys, ...(block.extraKeys ?? [])];
  const unread = Object.keys(fields.record).filter((key) => !known.includes(key));
  if (unread.length === 0) return [];
  const untyped = type === 'default' && !fields.given('rope_type') && !fields.given('type');
  const scalingKeys = [...READERS.values()].flatMap((reader) => reader.keys);
  if (untyped && unread.some((key) => scalingKeys.includes(key))) {
    return [finding('missing_rope_type', fields.path, { keys: unread, type })];
  }
  return unread.slice(0, MAX_REPORTED_KEYS).map((key) => {
    if (key === 'original_max_position_embeddings') return originalUnused(fields, type, context);
    const meant = suggest(
      key,
      known.filter((name) => name !== 'type' && !fields.has(name)),
    );
    return finding('unknown_key', fields.at(key), { type, ...(meant && { suggestion: meant }) });
  });
}

/** Caps the findings about unread keys; more would tell the reader nothing new. */
const MAX_REPORTED_KEYS = 20;

function originalUnused(fields: Fields, type: string, context: ScalingContext): Finding {
  const path = fields.at('original_max_position_embeddings');
  const original = fields.raw('original_max_position_embeddings');
  if (type === 'dynamic' && typeof original === 'number' && original > 0) {
    const ratio = context.maxPositions / original;
    if (ratio > 1) {
      const args = { type, original, max: context.maxPositions };
      return finding('double_scaling', path, { ...args, ratio: Number(ratio.toPrecision(6)) });
    }
  }
  return finding('original_unused', path, { type });
}

/** The rule for a theta anywhere in a config. */
export const THETA_RULE = Object.freeze({ above: 0, max: BOUNDS.theta });

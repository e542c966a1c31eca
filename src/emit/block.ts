import { applyEdits, type FormattingOptions, modify } from 'jsonc-parser';
import { Fields } from '../json/fields.js';
import { isRecord, own, type UnknownRecord } from '../json/parse.js';
import { findPart } from '../model/part.js';
import { CLASS_DEFAULTS, COMPOSITES } from '../model/source.js';
import type { Block } from '../rope/kind.js';
import { dynamicAlpha } from '../rope/kinds/dynamic.js';
import { ntkTheta } from '../rope/kinds/ntk.js';
import { attnFactorOf, rampKeys, yarnAttentionScaling, type YarnSpec } from '../rope/kinds/yarn.js';
import {
  computeRope,
  effectiveTheta,
  ROPE_KINDS,
  type RopeSpec,
  type RopeSpecOf,
  type RopeType,
  scalingBlock,
} from '../rope/registry.js';
import type { EmitGroup, EmitInput } from './types.js';

/** Reads and builds the `rope_scaling` and `rope_parameters` blocks of all engines. */

/** Keys of a block that describe the scaling. Every other key describes the model. */
const SCALING_KEYS: ReadonlySet<string> = new Set([
  'rope_type',
  'type',
  'rope_theta',
  ...Object.values(ROPE_KINDS).flatMap((kind) => kind.block?.keys ?? []),
  // Only some model families or engines read these.
  'alpha',
  'attn_factor',
  'extrapolation_factor',
  'apply_yarn_scaling',
  'max_trained_positions',
  'mixed_b',
  'short_mscale',
  'long_mscale',
]);

export const ORIGINAL = 'original_max_position_embeddings';

/** Ministral 3 scales its queries by the position, in units of the original window. */
const QUERY_SCALING = 'llama_4_scaling_beta';

/**
 * Collects the keys of the current block that do not belong to the scaling: sections of a
 * multimodal model, a partial rotary factor, the scaling of queries. A new block must repeat them.
 *
 * The current block is that of the file, or that of the class if the file has none.
 */
export function keptKeys({ raw, geometry }: EmitInput, layerType: string): Block {
  const shape = shapeOf(raw);
  const old = blockOf(shape, geometry.modelType, layerType);
  const kept = Object.fromEntries(Object.entries(old).filter(([key]) => !SCALING_KEYS.has(key)));
  const original = own(shape.at, ORIGINAL) ?? old[ORIGINAL];
  return typeof kept[QUERY_SCALING] === 'number' && original !== undefined
    ? { [ORIGINAL]: original, ...kept }
    : kept;
}

/** The block that counts before any change: the file's, or else that of the class. */
export function blockInForce({ raw, geometry, groups }: EmitInput): Block {
  return blockOf(shapeOf(raw), geometry.modelType, groups[0].layerType);
}

function blockOf(shape: ConfigShape, modelType: string, layerType: string): Block {
  const written = writtenBlock(shape, layerType);
  if (isFilled(written)) return written;
  const ofClass: unknown = CLASS_DEFAULTS.get(modelType)?.block;
  return isRecord(ofClass) ? ofClass : {};
}

/**
 * Builds a complete block for an override, which replaces the current one: the scaling, its theta,
 * and the keys that describe the model. It repeats a partial rotary factor from any source, because
 * transformers 5 reads it only from the block.
 */
export function wholeBlock(scaling: Block, group: EmitGroup, input: EmitInput): Block | Unsaid {
  const { partial } = group;
  const kept = keptKeys(input, group.layerType);
  const original = kept[ORIGINAL];
  if (original !== undefined && (scaling[ORIGINAL] ?? original) !== original) {
    return {
      unsaid: `${input.geometry.modelType} scales its queries with the position, counted in ${ORIGINAL} (${String(original)}), and this scaling needs another there`,
    };
  }
  return {
    // The first copy decides the order of the keys, and the last one wins.
    ...scaling,
    ...kept,
    ...(partial !== undefined && { partial_rotary_factor: partial }),
    ...scaling,
  };
}

/** Writes a scaling that only changes theta. */
export function thetaBlock(rope: RopeSpec): Block {
  return { rope_type: 'default', rope_theta: effectiveTheta(rope) };
}

/** Converts the table of dynamic scaling at one length to the equivalent theta. */
export function dynamicAsTheta(
  rope: RopeSpecOf<'dynamic'>,
  length: number,
): { readonly alpha: number; readonly theta: number } {
  const alpha = dynamicAlpha(rope.factor, rope.maxPositions, length);
  return { alpha, theta: ntkTheta(rope.theta, alpha, rope.exponentDim ?? rope.rotaryDim) };
}

/**
 * YaRN's temperature for engines with their own keys for it, unless it is the default
 * `0.1 ln(factor) + 1`. `attn_factor` multiplies the default; `attention_factor` replaces it.
 */
export function temperatureOf(rope: YarnSpec): { attn: number; attention: number } | undefined {
  const attn = attnFactorOf(rope);
  if (Math.abs(attn - 1) < 1e-9) return undefined;
  return { attn, attention: yarnAttentionScaling(rope) };
}

/** Writes YaRN's block without its temperature. */
export function yarnBase(rope: YarnSpec): Block {
  return {
    rope_type: 'yarn',
    factor: rope.factor,
    [ORIGINAL]: rope.originalMaxPositions,
    ...rampKeys(rope),
    rope_theta: rope.theta,
  };
}

/**
 * Writes longrope for vLLM and SGLang. They ignore factor and attention_factor and read the
 * temperature of each range instead. Neither has a longrope table for interleaved pairs.
 */
export function servedLongrope(
  rope: RopeSpecOf<'longrope'>,
  { geometry }: EmitInput,
): Block | Unsaid {
  if (geometry.layout === 'interleaved') {
    return { unsaid: 'longrope is there for halves of a head alone, not for neighbouring pairs' };
  }
  return {
    ...scalingBlock(rope),
    rope_theta: rope.theta,
    short_mscale: computeRope(rope, 1).attentionScaling,
    long_mscale: computeRope(rope, rope.originalMaxPositions + 1).attentionScaling,
  };
}

/** Sets the original window at the top level if it differs there, because that one wins. */
export function originalBeside({ raw, groups }: EmitInput): Block {
  const { rope } = groups[0];
  const beside = own(shapeOf(raw).at, ORIGINAL);
  const wanted = 'originalMaxPositions' in rope ? rope.originalMaxPositions : undefined;
  return beside === undefined || wanted === undefined || beside === wanted
    ? {}
    : { [ORIGINAL]: wanted };
}

/** Keys beside `max_position_embeddings` that vLLM and SGLang read as the length of a model. */
const LENGTH_KEYS = Object.freeze([
  'n_positions',
  'max_seq_len',
  'seq_length',
  'model_max_length',
  'max_sequence_length',
  'max_seq_length',
  'seq_len',
] as const);

/**
 * Raises `max_position_embeddings`, and every other length of the file that is below it: vLLM takes
 * `model_max_length` or the smallest of them, SGLang the first that it finds.
 *
 * @see vllm `derive_max_model_len_and_key`; sglang `CONTEXT_LENGTH_KEYS`
 */
export function raisedLengths({ raw }: EmitInput, length: number): Block {
  const { at } = shapeOf(raw);
  const others = LENGTH_KEYS.filter((key) => {
    const value = own(at, key);
    return typeof value === 'number' && value < length;
  });
  return Object.fromEntries(['max_position_embeddings', ...others].map((key) => [key, length]));
}

/** How an engine expresses each rope type, or why it cannot. One line for each supported type. */
export type Support<Said> = {
  readonly [T in RopeType]?: (rope: RopeSpecOf<T>, input: EmitInput) => Said | Unsaid;
};

/** The reason why an engine cannot express a scaling. */
export interface Unsaid {
  readonly unsaid: string;
}

/** Expresses a scaling by an engine's table. A type without a line is not supported. */
export function sayIn<Said>(
  support: Support<Said>,
  rope: RopeSpec,
  input: EmitInput,
): Said | Unsaid {
  const say = support[rope.type] as
    ((rope: RopeSpec, input: EmitInput) => Said | Unsaid) | undefined;
  return say?.(rope, input) ?? { unsaid: `there is no rope type \`${rope.type}\`` };
}

export function isUnsaid(said: unknown): said is Unsaid {
  return isRecord(said) && 'unsaid' in said;
}

/**
 * Writes `rope_scaling` as an override. Overrides can only set keys, so the file's block stays in
 * force unless null replaces it.
 *
 * @param block the scaling; its rope type is `default` if theta says everything
 * @param stale whether the current block must not stay in force
 * @returns undefined if the key need not be set
 */
export function scalingOverride(block: Block, stale: boolean): Block | null | undefined {
  const describes = Object.keys(block).some((key) => key !== 'rope_type' && key !== 'rope_theta');
  // Keys that describe the model need a block around them.
  if (block['rope_type'] !== 'default' || describes) return block;
  return stale ? null : undefined;
}

/** Whether the file or the model's class has a block. */
export function hasBlock({ raw, geometry }: EmitInput): boolean {
  const { at } = shapeOf(raw);
  const written = ['rope_scaling', 'rope_parameters'].some((key) => isFilled(own(at, key)));
  return written || geometry.groups.some(({ rope }) => rope.type !== 'default');
}

/** How a config file writes its rotary settings, so that a patch can use the same form. */
export interface ConfigShape {
  /** Path of the object with the settings: [], or ['text_config'] in a multimodal config. */
  readonly prefix: readonly string[];
  readonly at: UnknownRecord;
  /** transformers 4 writes `rope_scaling` and `rope_theta`, 5 `rope_parameters`. */
  readonly form: 'v4' | 'v5';
}

/** Finds where and in which form a config writes its rotary settings. */
export function shapeOf(raw: UnknownRecord): ConfigShape {
  const { fields } = findPart(new Fields(raw, ''));
  const at = fields.record;
  return {
    prefix: fields.path === '' ? [] : fields.path.split('.'),
    at,
    // A non-empty `rope_scaling` replaces `rope_parameters` in transformers.
    form: Object.hasOwn(at, 'rope_parameters') && !isFilled(own(at, 'rope_scaling')) ? 'v5' : 'v4',
  };
}

function isFilled(block: unknown): block is Block {
  return isRecord(block) && Object.keys(block).length > 0;
}

/**
 * The path of the language model's settings in the loaded config, which an override must name. A
 * file such as Qwen2.5-VL's has them at the top, but transformers 5 moves them into `text_config`,
 * where an override of the top level does not arrive.
 */
export function loadedPrefix({ raw }: Pick<EmitInput, 'raw'>): readonly string[] {
  const { prefix } = shapeOf(raw);
  return isFlatComposite(raw) ? [COMPOSITES.get(String(raw['model_type']))?.key ?? ''] : prefix;
}

/** Puts the keys of a part under its path. */
export function nestedIn(prefix: readonly string[], inner: Block): Block {
  return prefix.reduceRight<Block>((value, key) => ({ [key]: value }), inner);
}

/** Whether a multimodal config has the settings of its language model at the top level. */
export function isFlatComposite(raw: UnknownRecord): boolean {
  return COMPOSITES.has(String(own(raw, 'model_type'))) && shapeOf(raw).prefix.length === 0;
}

/** The block in the file, or that of one layer type if the file has a block for each. */
export function writtenBlock({ at, form }: ConfigShape, layerType: string): unknown {
  const block = form === 'v5' ? at['rope_parameters'] : at['rope_scaling'];
  if (!isRecord(block) || !Object.hasOwn(block, layerType)) return block;
  return block[layerType];
}

/** One key to set, or to remove if the value is undefined. */
export interface Edit {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Applies edits to the text of a config and keeps every other byte. */
export function patchConfig(text: string, edits: readonly Edit[]): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const formattingOptions = formattingOf(text);
  const patched = edits.reduce(
    (current, { path, value }) =>
      applyEdits(current, modify(current, [...path], value, { formattingOptions })),
    text.slice(mark.length),
  );
  return mark + patched;
}

/** Detects the file's indentation and line ends. */
function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}

import { applyEdits, type FormattingOptions, modify } from 'jsonc-parser';
import { Fields } from '../json/fields.js';
import { isRecord, own, type UnknownRecord } from '../json/parse.js';
import { CLASS_DEFAULTS } from '../model/class-defaults.js';
import { findPart } from '../model/part.js';
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

/** Keys of a block that say what the scaling is; every other key says how the model is built. */
const SCALING_KEYS: ReadonlySet<string> = new Set([
  'rope_type',
  'type',
  'rope_theta',
  ...Object.values(ROPE_KINDS).flatMap((kind) => kind.block?.keys ?? []),
  // Read by single families or engines.
  'alpha',
  'attn_factor',
  'extrapolation_factor',
  'apply_yarn_scaling',
  'max_trained_positions',
  'mixed_b',
  'short_mscale',
  'long_mscale',
]);

const ORIGINAL = 'original_max_position_embeddings';

/** Ministral 3 scales its queries by the position, counted in original windows. */
export const QUERY_SCALING = 'llama_4_scaling_beta';

/**
 * What stands in the block in force and is not the scaling's to say: sections of a multimodal
 * model, a partial rotary factor, the scaling of queries. A new block has to repeat it.
 *
 * The block in force is the file's, or that of the class where the file has none.
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

/** The block that counts before anything is changed: the file's, or that of the class. */
export function blockInForce({ raw, geometry, groups }: EmitInput): Block {
  return blockOf(shapeOf(raw), geometry.modelType, groups[0].layerType);
}

function blockOf(shape: ConfigShape, modelType: string, layerType: string): Block {
  const written = writtenBlock(shape, layerType);
  if (isRecord(written) && Object.keys(written).length > 0) return written;
  const ofClass: unknown = CLASS_DEFAULTS.get(modelType)?.block;
  return isRecord(ofClass) ? ofClass : {};
}

/**
 * A whole block for an override, which replaces the one in force: the scaling, its theta, and what
 * describes the model. A partial rotary factor is repeated wherever it came from, since transformers
 * 5 keeps it nowhere but in the block.
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
    // First for the order of the keys, last because it has the last word.
    ...scaling,
    ...kept,
    ...(partial !== undefined && { partial_rotary_factor: partial }),
    ...scaling,
  };
}

/** A scaling that is nothing but a theta. */
export function thetaBlock(rope: RopeSpec): Block {
  return { rope_type: 'default', rope_theta: effectiveTheta(rope) };
}

/** The table that dynamic scaling has at one length, as the theta that it amounts to. */
export function dynamicAsTheta(
  rope: RopeSpecOf<'dynamic'>,
  length: number,
): { readonly alpha: number; readonly theta: number } {
  const alpha = dynamicAlpha(rope.factor, rope.maxPositions, length);
  return { alpha, theta: ntkTheta(rope.theta, alpha, rope.exponentDim ?? rope.rotaryDim) };
}

/**
 * YaRN's temperature for engines that have keys of their own for it, where it is not
 * `0.1 ln(factor) + 1`: `attn_factor` multiplies that one, `attention_factor` takes its place.
 */
export function temperatureOf(rope: YarnSpec): { attn: number; attention: number } | undefined {
  const attn = attnFactorOf(rope);
  if (Math.abs(attn - 1) < 1e-9) return undefined;
  return { attn, attention: yarnAttentionScaling(rope) };
}

/** YaRN's block without its temperature. */
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
 * longrope for vLLM and SGLang. They read neither factor nor attention_factor, but the temperature
 * of each range; and they have no table of it for neighbouring pairs.
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

/** The original window at the top level, which beats the one in a block, where it is another. */
export function originalBeside({ raw, groups }: EmitInput): Block {
  const { rope } = groups[0];
  const beside = own(shapeOf(raw).at, ORIGINAL);
  const wanted = 'originalMaxPositions' in rope ? rope.originalMaxPositions : undefined;
  return beside === undefined || wanted === undefined || beside === wanted
    ? {}
    : { [ORIGINAL]: wanted };
}

/** How an engine says a rope type, or why it cannot. One line a type that it supports. */
export type Support<Said> = {
  readonly [T in RopeType]?: (rope: RopeSpecOf<T>, input: EmitInput) => Said | Unsaid;
};

export interface Unsaid {
  readonly unsaid: string;
}

/** What an engine's table says of a scaling; a type that has no line in it is not supported. */
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

/** How a config file writes its rotary settings, so that a patch speaks its dialect. */
export interface ConfigShape {
  /** Path of the object that holds them: [] or, in a multimodal config, ['text_config']. */
  readonly prefix: readonly string[];
  readonly at: UnknownRecord;
  /** transformers 4 writes `rope_scaling` and `rope_theta`, 5 `rope_parameters`. */
  readonly form: 'v4' | 'v5';
}

export function shapeOf(raw: UnknownRecord): ConfigShape {
  const { fields } = findPart(new Fields(raw, ''));
  const at = fields.record;
  return {
    prefix: fields.path === '' ? [] : fields.path.split('.'),
    at,
    form: Object.hasOwn(at, 'rope_parameters') && !hasLegacyBlock(at) ? 'v5' : 'v4',
  };
}

/** transformers lets a non-empty `rope_scaling` replace `rope_parameters`. */
function hasLegacyBlock(at: UnknownRecord): boolean {
  const block = Object.hasOwn(at, 'rope_scaling') ? at['rope_scaling'] : undefined;
  return isRecord(block) && Object.keys(block).length > 0;
}

/** The block as it stands: of one kind of layer where the file has one each. */
export function writtenBlock({ at, form }: ConfigShape, layerType: string): unknown {
  const block = form === 'v5' ? at['rope_parameters'] : at['rope_scaling'];
  if (!isRecord(block) || !Object.hasOwn(block, layerType)) return block;
  return block[layerType];
}

/** One key to set, or to remove where the value is undefined. */
export interface Edit {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Applies edits to the text of a config and leaves every other byte as it is. */
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

/** Indentation and line ends as the file has them. */
function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}

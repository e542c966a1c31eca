import { finding, type Finding } from '../../findings/index.js';
import { type Fields, POSITIVE } from '../../json/fields.js';
import { fail, isRecord, show, type UnknownRecord } from '../../json/parse.js';
import type { Read, RopeBlock } from '../../rope/kind.js';
import { THETA_RULE } from '../../rope/read.js';
import { pickBlock, spanOf } from '../block.js';
import { type DecoderRules, dialect, readDecoder } from '../decoder.js';
import type { LatentDefault, Source } from '../source.js';
import type { AttentionShape, Dialect } from '../types.js';
import { layersWithout } from './no-rope-layers.js';
import { perLayer, type PerLayerRules } from './per-layer-families.js';

const DEFAULTS = Object.freeze({ theta: 10_000, compressTheta: 160_000, partial: 0.125 });

/** Labels of the two tables, as in the class. */
const MAIN = 'main';
const COMPRESS = 'compress';

/** In `compress_ratios`, 0 marks a sliding layer, any other number one with a compressor. */
const SLIDING_RATIO = 0;

/**
 * DeepSeek-V4: layers that only slide rotate by the table `main`, and layers with a compressor by
 * `compress`. The latter has its own theta, and a scaling reaches it alone. YaRN's temperature is
 * not applied.
 */
const deepseekV4 = dialect(
  { name: 'main and compressed tables', modelTypes: ['deepseek_v4'], writes: 'per-layer' },
  {
    usesPartial: true,
    keepEmptyGroups: true,
    layerTypes: tableLabels,
    scalable: (label) => label === COMPRESS,
    spanOf: (label, window, max) => spanOf(label === MAIN ? 'sliding' : label, window, max),
    window: ({ fields, defaults }, label) =>
      label === MAIN
        ? (fields.nullableInteger('sliding_window', POSITIVE.tokens) ?? defaults?.window)
        : undefined,
    blocks: (source, _types, shape) => blocks(source, shape.headDim),
  },
);

/** One label per layer, from layer_types or compress_ratios. Without either, all compress. */
function tableLabels(source: Source, layers: number): readonly string[] {
  const types = source.fields.nullableList('layer_types');
  const ratios = source.fields.nullableList('compress_ratios');
  const list = types ?? ratios;
  if (list === undefined) return Array.from({ length: layers }, () => COMPRESS);
  if (list.length < layers) {
    const path = source.fields.at(types === undefined ? 'compress_ratios' : 'layer_types');
    fail('wrong_length', path, `has ${list.length} entries for ${layers} layers`);
  }
  return list
    .slice(0, layers)
    .map((value) => (value === 'sliding_attention' || value === SLIDING_RATIO ? MAIN : COMPRESS));
}

function blocks(source: Source, headDim: number): Read<ReadonlyMap<string, RopeBlock>> {
  const { value: given, findings } = pickBlock(source);
  const main = given?.raw(MAIN);
  const compress = given?.raw(COMPRESS);
  const partial = readShare(source, headDim);
  if (given !== undefined && isRecord(main) && isRecord(compress)) {
    const nested = (record: UnknownRecord, key: string, theta: number): RopeBlock => {
      const block = nestedBlock(given.beside(record, given.at(key)), theta, partial);
      // The class does not add the share to an unscaled block that is already nested.
      const own = block.fields.given('partial_rotary_factor');
      return block.type === 'default' && !own ? { ...block, partial: 1 } : block;
    };
    const both = [
      [MAIN, nested(main, MAIN, DEFAULTS.theta)],
      [COMPRESS, nested(compress, COMPRESS, DEFAULTS.compressTheta)],
    ] as const;
    return { value: new Map(both), findings };
  }
  const theta = source.fields.number('rope_theta', THETA_RULE) ?? DEFAULTS.theta;
  const compressTheta =
    source.fields.number('compress_rope_theta', THETA_RULE) ?? DEFAULTS.compressTheta;
  const flat = given?.record ?? {};
  const both = [
    [MAIN, nestedBlock(source.fields.beside({}, 'rope_parameters.main'), theta, partial)],
    [
      COMPRESS,
      nestedBlock(
        source.fields.beside(scaled(flat), given?.path ?? 'rope_parameters'),
        compressTheta,
        partial,
      ),
    ],
  ] as const;
  return { value: new Map(both), findings };
}

/** Keys that the class sets itself, whatever a flat block contains. */
const OWN_VALUES: readonly string[] = ['rope_theta', 'partial_rotary_factor'];

/** A flat block as the compressed layers use it. Its theta and share do not count. */
function scaled(flat: UnknownRecord): UnknownRecord {
  const rest = Object.fromEntries(
    Object.entries(flat).filter(([key]) => !OWN_VALUES.includes(key)),
  );
  const type = rest['rope_type'] ?? rest['type'];
  return type === 'yarn' ? { attention_factor: 1, ...rest } : rest;
}

function nestedBlock(fields: Fields, theta: number, partial: number): RopeBlock {
  const type = fields.raw('rope_type') ?? fields.raw('type') ?? 'default';
  if (typeof type !== 'string') {
    fail('wrong_type', fields.at('rope_type'), `must be a rope type, found ${show(type)}`);
  }
  return {
    fields,
    type,
    theta: fields.number('rope_theta', THETA_RULE) ?? theta,
    partial: fields.nullableNumber('partial_rotary_factor', { max: 1 }) ?? partial,
    outerOriginal: undefined,
    nested: true,
  };
}

function readShare(source: Source, headDim: number): number {
  const given = source.fields.nullableNumber('partial_rotary_factor', { max: 1 });
  const dims = source.fields.nullableInteger('qk_rope_head_dim', { above: 0, max: headDim });
  return given ?? (dims === undefined ? DEFAULTS.partial : dims / headDim);
}

/** DeepSeek's class defaults, which most relatives share. */
const LATENT_DEFAULTS = Object.freeze({ rope: 64, nope: 128, rank: 512, value: 128 });

function latentDefaults({ defaults }: Source): Required<LatentDefault> {
  return { ...LATENT_DEFAULTS, ...defaults?.latent };
}

/** Whether a config describes multi-head latent attention, whatever its model type. */
export function isLatent(source: Source): boolean {
  return source.fields.given('qk_rope_head_dim') && source.fields.given('kv_lora_rank');
}

/** Classes in which an explicit head_dim replaces qk_rope_head_dim as the rotated width. */
const HEAD_DIM_WINS: ReadonlySet<string> = new Set([
  'deepseek_v3',
  'kimi_k2',
  'glm4_moe_lite',
  'longcat_flash',
  'youtu',
  'axk1',
]);

/** Returns a head_dim that contradicts qk_rope_head_dim. */
function otherDim(source: Source): number | undefined {
  const explicit = source.fields.nullableInteger('head_dim', POSITIVE.headDim);
  return explicit === ropeDim(source) ? undefined : explicit;
}

function rotatedDim(source: Source): number {
  const other = otherDim(source);
  return other !== undefined && HEAD_DIM_WINS.has(source.modelType) ? other : ropeDim(source);
}

function widthConflict(source: Source): readonly Finding[] {
  const { fields, modelType } = source;
  const other = otherDim(source);
  if (other === undefined) return [];
  const head = { path: fields.at('head_dim'), value: other };
  const rotated = { path: fields.at('qk_rope_head_dim'), value: ropeDim(source) };
  const [used, ignored] = HEAD_DIM_WINS.has(modelType) ? [head, rotated] : [rotated, head];
  const args = { used: used.value, usedPath: used.path, ignored: ignored.value };
  return [finding('conflict', ignored.path, args)];
}

function ropeDim(source: Source): number {
  const value = source.fields.integer('qk_rope_head_dim', POSITIVE.headDim);
  if (value !== undefined) return value;
  if (source.defaults === undefined) {
    fail('missing_field', 'qk_rope_head_dim', 'is missing: the rotated part of a latent head');
  }
  return source.defaults.headDim ?? LATENT_DEFAULTS.rope;
}

/** Returns the width of the part of a query without positions. */
function nopeDim(source: Source): number {
  const nope = source.fields.nullableInteger('qk_nope_head_dim', POSITIVE.headDim);
  return nope ?? latentDefaults(source).nope;
}

function latent(source: Source, rope = ropeDim(source)): AttentionShape['latent'] {
  const rank = source.fields.nullableInteger('kv_lora_rank', POSITIVE.width);
  const own = latentDefaults(source);
  return {
    rank: rank ?? own.rank,
    ropeDim: rope,
    nopeDim: nopeDim(source),
    valueDim: source.fields.nullableInteger('v_head_dim', POSITIVE.headDim) ?? own.value,
  };
}

/** Returns the width of a query: the parts with and without positions. */
function queryDim(source: Source): number {
  return nopeDim(source) + ropeDim(source);
}

const LATENT: DecoderRules = Object.freeze<DecoderRules>({
  shape: { fixedHeadDim: rotatedDim },
  findings: widthConflict,
  latent: (source) => latent(source),
  softmax: { queryDim },
});

/** DeepSeek-V3 and its relatives: YaRN's mscale_all_dim also scales the softmax, by its square. */
const LATENT_YARN: DecoderRules = Object.freeze<DecoderRules>({
  ...LATENT,
  softmax: { queryDim, yarnMscaleSquared: true },
});

export const latentAttention = dialect(
  {
    name: 'multi-head latent attention',
    modelTypes: [
      'deepseek_v2',
      'deepseek_v3',
      'deepseek_v32',
      'kimi_k2',
      'glm4_moe_lite',
      'glm_moe_dsa',
      'longcat_flash',
      'minicpm3',
      'youtu',
      'axk1',
      'axk2',
      'hy_v4',
      'hy_v4_vl_text',
      'sarvam_mla',
    ],
  },
  ({ modelType }) =>
    // Kimi K2 runs DeepSeek-V3's code under another name.
    modelType === 'kimi_k2' ? { ...LATENT_YARN, layout: 'interleaved' } : LATENT_YARN,
);

/** Mistral Large 4: `no_rope_layers`, as in SmolLM3. By default every fourth layer has no RoPE. */
const mistralLarge4 = dialect(
  { name: 'latent attention, layers without RoPE', modelTypes: ['mistral_large4_text'] },
  { ...LATENT_YARN, withoutRope: layersWithout },
);

/** Ling: latent attention whose window may also be called `model_max_length`. */
const bailing = dialect(
  { name: 'latent attention, model_max_length', modelTypes: ['bailing_hybrid'] },
  {
    ...LATENT_YARN,
    shape: { ...LATENT_YARN.shape, alsoKeys: { maxPositions: 'model_max_length' } },
  },
);

/**
 * Mistral 4: head_dim counts both parts of a query, and a share of it rotates. transformers sets
 * that share only if the block is not a legacy `rope_scaling`.
 */
const mistral4 = dialect(
  { name: 'latent attention with a partial factor', modelTypes: ['mistral4'] },
  (source) => ({
    latent: (inner) => latent(inner, ropeDimOr(inner, 64)),
    shape: { fixedHeadDim: queryDimMistral4 },
    softmax: { queryDim: queryDimMistral4, yarnMscaleSquared: true },
    ...(!source.fields.given('rope_scaling') && {
      flat: { partialDefault: ropeDimOr(source, 64) / queryDimMistral4(source) },
    }),
  }),
);

function ropeDimOr(source: Source, fallback: number): number {
  return source.fields.nullableInteger('qk_rope_head_dim', POSITIVE.headDim) ?? fallback;
}

function queryDimMistral4(source: Source): number {
  const explicit = source.fields.nullableInteger('head_dim', POSITIVE.headDim);
  if (explicit !== undefined) return explicit;
  return nopeDim(source) + ropeDimOr(source, 64);
}

/**
 * Dots 3 Note: latent attention with a block per layer type. The share that its class derives for
 * each type amounts to qk_rope_head_dim, except in a proportional block, which takes the whole
 * head.
 */
const dots3 = Object.freeze<Dialect>({
  name: 'latent attention with a block per layer type',
  modelTypes: ['dots3_note_text'],
  writes: 'nested',
  read: (source) => {
    const model = readDecoder(source, perLayer(DOTS3_BLOCKS, LATENT));
    if (model.groups.some(({ rope }) => rope.type === 'proportional')) {
      fail(
        'unsupported_for_model',
        source.fields.at('rope_parameters'),
        'dots3_note_text is not read with a proportional block',
      );
    }
    return model;
  },
});

const DOTS3_BLOCKS: PerLayerRules = Object.freeze({
  scalingReaches: [],
  thetaKeys: { indexed_attention: 'rope_theta', sliding_attention: 'swa_rope_theta' },
  outerPartial: false,
});

/** The dialects of this file. */
export const LATENT_DIALECTS: readonly Dialect[] = Object.freeze([
  latentAttention,
  bailing,
  dots3,
  mistral4,
  mistralLarge4,
  deepseekV4,
]);

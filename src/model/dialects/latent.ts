import { finding, type Finding } from '../../findings/index.js';
import { BOUNDS, fail } from '../../json/bounds.js';
import type { LatentDefault } from '../class-defaults.js';
import { type DecoderRules, readDecoder } from '../decoder.js';
import { eitherKeys, type Source } from '../source.js';
import type { AttentionShape, Dialect } from '../types.js';
import { layersWithout } from './no-rope-layers.js';
import { perLayer, type PerLayerRules } from './per-layer.js';

const DIM = Object.freeze({ above: 0, max: BOUNDS.headDim });

/**
 * DeepSeek's class defaults, which most relatives share: the rotated part and the rest of a query,
 * the rank, and the width of a value.
 */
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

function rotatedDim(source: Source): number {
  const explicit = source.fields.nullableInteger('head_dim', DIM);
  const dim = ropeDim(source);
  if (explicit === undefined || explicit === dim) return dim;
  return HEAD_DIM_WINS.has(source.modelType) ? explicit : dim;
}

/** Reports a head_dim that contradicts qk_rope_head_dim. */
function widthConflict(source: Source): readonly Finding[] {
  const { fields, modelType } = source;
  const explicit = fields.nullableInteger('head_dim', DIM);
  const dim = ropeDim(source);
  if (explicit === undefined || explicit === dim) return [];
  const wins = HEAD_DIM_WINS.has(modelType);
  return [
    finding('conflict', fields.at(wins ? 'qk_rope_head_dim' : 'head_dim'), {
      used: wins ? explicit : dim,
      usedPath: fields.at(wins ? 'head_dim' : 'qk_rope_head_dim'),
      ignored: wins ? dim : explicit,
    }),
  ];
}

function ropeDim(source: Source): number {
  const value = source.fields.integer('qk_rope_head_dim', DIM);
  if (value !== undefined) return value;
  if (source.defaults === undefined) {
    fail('missing_field', 'qk_rope_head_dim', 'is missing: the rotated part of a latent head');
  }
  return source.defaults.headDim ?? LATENT_DEFAULTS.rope;
}

/** Returns the width of the part of a query without positions. */
function nopeDim(source: Source): number {
  const nope = source.fields.nullableInteger('qk_nope_head_dim', DIM);
  return nope ?? latentDefaults(source).nope;
}

function latent(source: Source, rope = ropeDim(source)): AttentionShape['latent'] {
  const rank = source.fields.nullableInteger('kv_lora_rank', { above: 0, max: BOUNDS.width });
  const own = latentDefaults(source);
  return {
    rank: rank ?? own.rank,
    ropeDim: rope,
    nopeDim: nopeDim(source),
    valueDim: source.fields.nullableInteger('v_head_dim', DIM) ?? own.value,
  };
}

/** Returns the width of a query: the parts with and without positions. */
function queryDim(source: Source): number {
  return nopeDim(source) + ropeDim(source);
}

/**
 * Makes the rules for latent attention, with DeepSeek-V3's softmax factor if `mscaleSquared` is
 * set.
 */
export function latentRules(mscaleSquared: boolean): DecoderRules {
  return {
    shape: { fixedHeadDim: rotatedDim },
    findings: widthConflict,
    latent: (source) => latent(source),
    softmax: { queryDim, yarnMscaleSquared: mscaleSquared },
  };
}

function read(mscaleSquared: boolean): Dialect['read'] {
  const rules = latentRules(mscaleSquared);
  return (source) => {
    // Kimi K2 runs DeepSeek-V3's code under another name.
    const layout = source.modelType === 'kimi_k2' ? ({ layout: 'interleaved' } as const) : {};
    return readDecoder(source, { ...rules, ...layout });
  };
}

/** DeepSeek-V3 and its relatives: YaRN's mscale_all_dim also scales the softmax, by its square. */
export const latentAttention: Dialect = Object.freeze({
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
  read: read(true),
});

/** Mistral Large 4: `no_rope_layers`, as in SmolLM3. By default every fourth layer has no RoPE. */
export const mistralLarge4: Dialect = Object.freeze({
  name: 'latent attention, layers without RoPE',
  modelTypes: ['mistral_large4_text'],
  read: (source: Source) =>
    readDecoder(source, { ...latentRules(true), withoutRope: layersWithout }),
});

/** Ling: latent attention whose window may also be called `model_max_length`. */
export const bailing: Dialect = Object.freeze({
  name: 'latent attention, model_max_length',
  modelTypes: ['bailing_hybrid'],
  read: (source: Source) => {
    const rules = latentRules(true);
    const keys = eitherKeys(source, { maxPositions: 'model_max_length' });
    return readDecoder(source, { ...rules, shape: { ...rules.shape, keys } });
  },
});

/**
 * Mistral 4: head_dim counts both parts of a query, and a share of it rotates. transformers sets
 * that share only if the block is not a legacy `rope_scaling`.
 */
export const mistral4: Dialect = Object.freeze({
  name: 'latent attention with a partial factor',
  modelTypes: ['mistral4'],
  read: (source: Source) => {
    const legacy = source.fields.given('rope_scaling');
    return readDecoder(source, {
      latent: (inner) => latent(inner, ropeDimOr(inner, 64)),
      shape: { fixedHeadDim: queryDimMistral4 },
      softmax: { queryDim: queryDimMistral4, yarnMscaleSquared: true },
      ...(!legacy && {
        flat: { partialDefault: ropeDimOr(source, 64) / queryDimMistral4(source) },
      }),
    });
  },
});

function ropeDimOr(source: Source, fallback: number): number {
  return source.fields.nullableInteger('qk_rope_head_dim', DIM) ?? fallback;
}

function queryDimMistral4(source: Source): number {
  const explicit = source.fields.nullableInteger('head_dim', DIM);
  if (explicit !== undefined) return explicit;
  return nopeDim(source) + ropeDimOr(source, 64);
}

const DOTS3_BLOCKS: PerLayerRules = Object.freeze({
  scalingReaches: [],
  thetaKeys: { indexed_attention: 'rope_theta', sliding_attention: 'swa_rope_theta' },
  outerPartial: false,
});

/**
 * Dots 3 Note: latent attention with a block per layer type. The share that its class derives for
 * each type amounts to qk_rope_head_dim, except in a proportional block, which takes the whole
 * head.
 */
export const dots3: Dialect = Object.freeze({
  name: 'latent attention with a block per layer type',
  modelTypes: ['dots3_note_text'],
  writes: 'per-layer',
  nestedOnly: true,
  read: (source: Source) => {
    const model = perLayer(DOTS3_BLOCKS, latentRules(false))(source);
    if (!('encoding' in model) && model.groups.some(({ rope }) => rope.type === 'proportional')) {
      fail(
        'unsupported_for_model',
        source.fields.at('rope_parameters'),
        'dots3_note_text is not read with a proportional block',
      );
    }
    return model;
  },
});

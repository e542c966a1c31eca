import { finding } from '../../findings/index.js';
import { Fields } from '../../json/fields.js';
import { BOUNDS, fail } from '../../json/parse.js';
import type { RopeBlock } from '../../rope/kind.js';
import { THETA_RULE } from '../../rope/read.js';
import { forAllLayers, readDecoder } from '../decoder.js';
import { notRope } from '../not-rope.js';
import {
  eitherKeys,
  type ShapeKeys,
  type Source,
  TRANSFORMERS_VERSION,
  USUAL_KEYS,
} from '../source.js';
import type { Dialect } from '../types.js';

const NEOX_THETA_KEY = 'rotary_emb_base';

/** GPT-NeoX: `rotary_emb_base` and `rotary_pct`. */
export const neox: Dialect = Object.freeze({
  name: 'rotary_pct and rotary_emb_base',
  modelTypes: ['gpt_neox', 'gpt_neox_japanese'],
  thetaKey: NEOX_THETA_KEY,
  read: (source: Source) =>
    readDecoder(source, {
      flat: { thetaKey: NEOX_THETA_KEY, partialKey: 'rotary_pct' },
    }),
});

const GPTJ_ROTARY_DIM = 64;
const GPTJ_THETA = 10_000;

/**
 * GPT-J and CodeGen: `rotary_dim` dimensions of a head rotate, with base 10000 and without a
 * scaling block.
 */
export const gptj: Dialect = Object.freeze({
  name: 'rotary_dim',
  modelTypes: ['gptj', 'codegen'],
  writes: 'fixed',
  read: (source: Source) =>
    readDecoder(source, {
      usesPartial: true,
      shape: {
        keys: eitherKeys(source, {
          hidden: 'n_embd',
          heads: 'n_head',
          layers: 'n_layer',
          maxPositions: 'n_positions',
        }),
      },
      blocks: (inner, types, shape) => {
        const value = gptjBlock(inner, shape.headDim);
        return forAllLayers(types, { value, findings: [] });
      },
    }),
});

function gptjBlock(source: Source, headDim: number): RopeBlock {
  const rule = { above: 0, max: BOUNDS.headDim };
  // An explicit null rotates the whole head.
  const rotaryDim = source.fields.has('rotary_dim')
    ? (source.fields.nullableInteger('rotary_dim', rule) ?? headDim)
    : GPTJ_ROTARY_DIM;
  if (rotaryDim > headDim) {
    fail('out_of_range', 'rotary_dim', `${rotaryDim} is more than a head of ${headDim}`);
  }
  return fixedBlock(source, GPTJ_THETA, rotaryDim / headDim);
}

/** Returns a block that no key can change, for classes without scalings. */
function fixedBlock(source: Source, theta: number, partial: number | undefined): RopeBlock {
  return {
    fields: new Fields({}, source.fields.at('rope_parameters')),
    type: 'default',
    theta,
    partial,
    outerOriginal: undefined,
    nested: false,
  };
}

/**
 * ESM: `position_embedding_type` decides whether it rotates. theta is outside any block, and
 * nothing scales it.
 */
export const esm: Dialect = Object.freeze({
  name: 'position_embedding_type',
  modelTypes: ['esm'],
  writes: 'fixed',
  read: (source: Source) => {
    const type = source.fields.nullableString('position_embedding_type') ?? 'absolute';
    if (type !== 'rotary') return notRope(source, 'learned');
    const theta = source.fields.number('rope_theta', THETA_RULE) ?? GPTJ_THETA;
    return readDecoder(source, {
      blocks: (inner, types) =>
        forAllLayers(types, { value: fixedBlock(inner, theta, 1), findings: [] }),
    });
  },
});

/** RoFormer: rotary sinusoids over the whole head, with a fixed base. */
export const roformer: Dialect = Object.freeze({
  name: 'fixed rotary sinusoids',
  modelTypes: ['roformer'],
  writes: 'fixed',
  read: (source: Source) =>
    readDecoder(source, {
      blocks: (inner, types) =>
        forAllLayers(types, { value: fixedBlock(inner, GPTJ_THETA, 1), findings: [] }),
    }),
});

/**
 * Falcon: rotates unless `alibi` is set. A head is hidden / heads wide whatever the other keys are.
 * All queries share one key and value head (`multi_query`, the default) unless
 * `new_decoder_architecture` is set.
 */
export const falcon: Dialect = Object.freeze({
  name: 'falcon',
  modelTypes: ['falcon'],
  read: (source: Source) =>
    source.fields.nullableBoolean('alibi') === true
      ? notRope(source, 'alibi')
      : readDecoder(source, {
          shape: {
            keys: { ...USUAL_KEYS, kvHeads: 'num_kv_heads', headDim: 'no_head_dim' },
            ...(sharesOneKey(source) && { fixedKvHeads: 1 }),
          },
        }),
});

function sharesOneKey({ fields }: Source): boolean {
  return (
    fields.nullableBoolean('new_decoder_architecture') !== true &&
    fields.nullableBoolean('multi_query') !== false
  );
}

/** Classes whose head is hidden / heads wide even if head_dim differs. */
export const derivedHead: Dialect = Object.freeze({
  name: 'head_dim from widths',
  modelTypes: ['deepseek_ocr2_text', 'unlimited_ocr_text'],
  read: (source: Source) =>
    readDecoder(source, {
      shape: {
        keys: { ...USUAL_KEYS, headDim: 'no_head_dim' },
        derivedHeadDim: (hidden, heads) => Math.floor(hidden / heads),
      },
    }),
});

const OWN_KEYS: ReadonlyMap<string, Partial<ShapeKeys>> = new Map<string, Partial<ShapeKeys>>([
  [
    'moonshine',
    {
      heads: 'decoder_num_attention_heads',
      kvHeads: 'decoder_num_key_value_heads',
      layers: 'decoder_num_hidden_layers',
    },
  ],
]);

/** Classes with other names for the usual keys. Of an encoder-decoder, the decoder is read. */
export const ownKeys: Dialect = Object.freeze({
  name: 'own names for widths',
  modelTypes: [...OWN_KEYS.keys()],
  read: (source: Source) => {
    const keys = eitherKeys(source, OWN_KEYS.get(source.modelType) ?? {});
    return readDecoder(source, { shape: { keys } });
  },
});

/**
 * nomic_bert as published with its own code: GPT-2's names for widths, `rotary_emb_base` and
 * `rotary_emb_fraction`, and a trained window beside the allowed one.
 */
export const nomicBert: Dialect = Object.freeze({
  name: 'nomic_bert with keys of its own',
  modelTypes: ['nomic_bert'],
  read: (source: Source) => {
    const { fields } = source;
    if (!fields.given('n_embd')) return readDecoder(source);
    const keys = eitherKeys(source, {
      hidden: 'n_embd',
      heads: 'n_head',
      layers: 'n_layer',
      maxPositions: 'n_positions',
    });
    const trained = fields.nullableInteger('max_trained_positions', {
      above: 0,
      max: BOUNDS.positions,
    });
    const model = readDecoder(source, {
      shape: { keys },
      usesPartial: true,
      flat: { thetaKey: NEOX_THETA_KEY, partialKey: 'rotary_emb_fraction' },
      layout: fields.nullableBoolean('rotary_emb_interleaved') === true ? 'interleaved' : 'half',
    });
    return { ...model, ...(trained !== undefined && { trainedPositions: trained }) };
  },
});

/**
 * JetMoE: each expert of the attention has `num_key_value_heads` query heads, and a token uses
 * `num_experts_per_tok` experts, so the product is its number of heads. num_attention_heads is not
 * read.
 */
export const jetmoe: Dialect = Object.freeze({
  name: 'heads from experts',
  modelTypes: ['jetmoe'],
  read: (source: Source) => {
    const rule = { above: 0, max: BOUNDS.heads };
    const kvHeads = source.fields.nullableInteger('num_key_value_heads', rule) ?? 16;
    const experts = source.fields.nullableInteger('num_experts_per_tok', rule) ?? 2;
    const keys = eitherKeys(source, { headDim: 'kv_channels' });
    return readDecoder(source, {
      shape: { keys, fixedHeads: Math.min(kvHeads * experts, BOUNDS.heads) },
    });
  },
});

/**
 * DBRX: `attn_config` holds the number of key and value heads. It also holds the `rope_theta` of
 * the training, which transformers 5 does not read.
 */
export const dbrx: Dialect = Object.freeze({
  name: 'attn_config',
  modelTypes: ['dbrx'],
  read: (source: Source) => {
    const keys = eitherKeys(source, {
      hidden: 'd_model',
      heads: 'n_heads',
      layers: 'n_layers',
      maxPositions: 'max_seq_len',
    });
    const attention = source.fields.nullableFields('attn_config');
    const kvHeads = attention?.nullableInteger('kv_n_heads', { above: 0, max: BOUNDS.heads });
    const model = readDecoder(source, {
      shape: { keys, ...(kvHeads !== undefined && { fixedKvHeads: kvHeads }) },
    });
    const inner = attention?.nullableNumber('rope_theta', THETA_RULE);
    const used = model.groups[0]?.rope.theta;
    if (attention === undefined || inner === undefined || inner === used) return model;
    const found = finding('class_fault', attention.at('rope_theta'), {
      model: source.modelType,
      fault: 'theta_not_read',
      version: TRANSFORMERS_VERSION,
      ...(used !== undefined && { value: used }),
    });
    return { ...model, findings: [...model.findings, found] };
  },
});

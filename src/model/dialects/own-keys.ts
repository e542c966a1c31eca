import { finding } from '../../findings/index.js';
import { Fields, POSITIVE } from '../../json/fields.js';
import { BOUNDS, fail } from '../../json/parse.js';
import type { Read, RopeBlock } from '../../rope/kind.js';
import { THETA_RULE } from '../../rope/read.js';
import { dialect, readDecoder } from '../decoder.js';
import { notRope } from '../not-rope.js';
import { type Shape, type ShapeKeys, type Source, TRANSFORMERS_VERSION } from '../source.js';
import type { Dialect } from '../types.js';

const NEOX_THETA_KEY = 'rotary_emb_base';

/** GPT-NeoX: `rotary_emb_base` and `rotary_pct`. */
const neox = dialect(
  {
    name: 'rotary_pct and rotary_emb_base',
    modelTypes: ['gpt_neox', 'gpt_neox_japanese'],
    thetaKey: NEOX_THETA_KEY,
  },
  { flat: { thetaKey: NEOX_THETA_KEY, partialKey: 'rotary_pct' } },
);

/** GPT-2's names of the usual keys. */
const GPT2_KEYS: Partial<ShapeKeys> = Object.freeze({
  hidden: 'n_embd',
  heads: 'n_head',
  layers: 'n_layer',
  maxPositions: 'n_positions',
});

const GPTJ_ROTARY_DIM = 64;
const GPTJ_THETA = 10_000;

/** GPT-J and CodeGen: `rotary_dim` dimensions rotate, with base 10000 and without a scaling. */
const gptj = dialect(
  { name: 'rotary_dim', modelTypes: ['gptj', 'codegen'], writes: 'fixed' },
  {
    usesPartial: true,
    shape: { alsoKeys: GPT2_KEYS },
    block: gptjBlock,
  },
);

function gptjBlock({ fields }: Source, { headDim }: Shape): Read<RopeBlock> {
  // An explicit null rotates the whole head.
  const rotaryDim = fields.has('rotary_dim')
    ? (fields.nullableInteger('rotary_dim', POSITIVE.headDim) ?? headDim)
    : GPTJ_ROTARY_DIM;
  if (rotaryDim > headDim) {
    fail('out_of_range', 'rotary_dim', `${rotaryDim} is more than a head of ${headDim}`);
  }
  return fixedBlock(fields, GPTJ_THETA, rotaryDim / headDim);
}

/** Returns a block that no key can change, for classes without scalings. */
function fixedBlock(fields: Fields, theta: number, partial: number): Read<RopeBlock> {
  const value: RopeBlock = {
    fields: new Fields({}, fields.at('rope_parameters')),
    type: 'default',
    theta,
    partial,
    outerOriginal: undefined,
    nested: false,
  };
  return { value, findings: [] };
}

/** ESM: `position_embedding_type` decides whether it rotates. Nothing scales its theta. */
const esm = Object.freeze<Dialect>({
  name: 'position_embedding_type',
  modelTypes: ['esm'],
  writes: 'fixed',
  read: (source) => {
    const { fields } = source;
    const type = fields.nullableString('position_embedding_type') ?? 'absolute';
    if (type !== 'rotary') return notRope(source, 'learned');
    const theta = fields.number('rope_theta', THETA_RULE) ?? GPTJ_THETA;
    return readDecoder(source, { block: () => fixedBlock(fields, theta, 1) });
  },
});

/** RoFormer: rotary sinusoids over the whole head, with a fixed base. */
const roformer = dialect(
  { name: 'fixed rotary sinusoids', modelTypes: ['roformer'], writes: 'fixed' },
  { block: ({ fields }) => fixedBlock(fields, GPTJ_THETA, 1) },
);

/** The name of a key that no config has: head_dim is not read. */
const NO_HEAD_DIM = { headDim: 'no_head_dim' } as const;

/**
 * Falcon: rotates unless `alibi` is set. A head is hidden / heads wide whatever the other keys are.
 * All queries share one key and value head (`multi_query`, the default) unless
 * `new_decoder_architecture` is set.
 */
const falcon = Object.freeze<Dialect>({
  name: 'falcon',
  modelTypes: ['falcon'],
  read: (source) =>
    source.fields.nullableBoolean('alibi') === true
      ? notRope(source, 'alibi')
      : readDecoder(source, {
          shape: {
            keys: { kvHeads: 'num_kv_heads', ...NO_HEAD_DIM },
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
const derivedHead = dialect(
  { name: 'head_dim from widths', modelTypes: ['deepseek_ocr2_text', 'unlimited_ocr_text'] },
  {
    shape: {
      keys: NO_HEAD_DIM,
      derivedHeadDim: (hidden, heads) => Math.floor(hidden / heads),
    },
  },
);

/** Moonshine: other names for the usual keys. Of the encoder-decoder, the decoder is read. */
const ownKeys = dialect(
  { name: 'own names for widths', modelTypes: ['moonshine'] },
  {
    shape: {
      alsoKeys: {
        heads: 'decoder_num_attention_heads',
        kvHeads: 'decoder_num_key_value_heads',
        layers: 'decoder_num_hidden_layers',
      },
    },
  },
);

/**
 * nomic_bert as published with its own code: GPT-2's names for widths, `rotary_emb_base` and
 * `rotary_emb_fraction`, and a trained window beside the allowed one.
 */
const nomicBert = Object.freeze<Dialect>({
  name: 'nomic_bert with keys of its own',
  modelTypes: ['nomic_bert'],
  read: (source) => {
    const { fields } = source;
    if (!fields.given('n_embd')) return readDecoder(source);
    const trained = fields.nullableInteger('max_trained_positions', POSITIVE.tokens);
    const model = readDecoder(source, {
      shape: { alsoKeys: GPT2_KEYS },
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
const jetmoe = dialect({ name: 'heads from experts', modelTypes: ['jetmoe'] }, ({ fields }) => {
  const kvHeads = fields.nullableInteger('num_key_value_heads', POSITIVE.heads) ?? 16;
  const experts = fields.nullableInteger('num_experts_per_tok', POSITIVE.heads) ?? 2;
  const fixedHeads = Math.min(kvHeads * experts, BOUNDS.heads);
  return { shape: { alsoKeys: { headDim: 'kv_channels' }, fixedHeads } };
});

/**
 * DBRX: `attn_config` holds the number of key and value heads. It also holds the `rope_theta` of
 * the training, which transformers 5 does not read.
 */
const dbrx = Object.freeze<Dialect>({
  name: 'attn_config',
  modelTypes: ['dbrx'],
  read: (source) => {
    const alsoKeys = {
      hidden: 'd_model',
      heads: 'n_heads',
      layers: 'n_layers',
      maxPositions: 'max_seq_len',
    };
    const attention = source.fields.nullableFields('attn_config');
    const kvHeads = attention?.nullableInteger('kv_n_heads', POSITIVE.heads);
    const model = readDecoder(source, {
      shape: { alsoKeys, ...(kvHeads !== undefined && { fixedKvHeads: kvHeads }) },
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

/** The dialects of this file. */
export const OWN_KEYS_DIALECTS: readonly Dialect[] = Object.freeze([
  neox,
  nomicBert,
  gptj,
  esm,
  roformer,
  falcon,
  derivedHead,
  ownKeys,
  jetmoe,
  dbrx,
]);

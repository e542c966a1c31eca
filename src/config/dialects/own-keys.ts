import { finding } from '../../finding-catalogue/index.js';
import { BOUNDS } from '../bounds.js';
import { readDecoder } from '../decoder.js';
import { THETA_RULE } from '../scaling.js';
import { eitherKeys, type ShapeKeys } from '../shape.js';
import type { Source } from '../source.js';
import type { Dialect } from './types.js';

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

/** Classes with other names for the usual keys; of an encoder-decoder the decoder is read. */
export const ownKeys: Dialect = Object.freeze({
  name: 'own names for widths',
  modelTypes: [...OWN_KEYS.keys()],
  read: (source: Source) => {
    const keys = eitherKeys(source, OWN_KEYS.get(source.modelType) ?? {});
    return readDecoder(source, { shape: { keys } });
  },
});

/**
 * JetMoE: an expert of the attention has `num_key_value_heads` query heads, so a token has that
 * many times `num_experts_per_tok`; num_attention_heads is not read.
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
 * DBRX: key and value heads stand in `attn_config`. So does a `rope_theta`, which was trained with
 * and which transformers 5 does not read.
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
    if (attention !== undefined && inner !== undefined && inner !== used) {
      source.findings.push(
        finding('conflict', attention.at('rope_theta'), {
          used: used ?? 0,
          usedPath: source.fields.at('rope_theta'),
          ignored: inner,
        }),
      );
    }
    return model;
  },
});

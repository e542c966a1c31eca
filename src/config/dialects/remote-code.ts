import { BOUNDS } from '../bounds.js';
import { readDecoder } from '../decoder.js';
import { Fields } from '../fields.js';
import { notRope } from '../not-rope.js';
import { type RopeBlock, THETA_RULE } from '../scaling.js';
import { eitherKeys } from '../shape.js';
import type { Source } from '../source.js';
import type { Dialect } from './types.js';

/** Families that ship their own modelling code; transformers has no class for them. */

const THETA = 10_000;

/**
 * Baichuan: the 7B models rotate the whole head with base 10000; the 13B ones use ALiBi, and give
 * no max_position_embeddings.
 */
export const baichuan: Dialect = Object.freeze({
  name: 'Baichuan',
  modelTypes: ['baichuan'],
  read: (source: Source) =>
    source.fields.given('max_position_embeddings') ? readDecoder(source) : notRope(source, 'alibi'),
});

/** ChatGLM 2 and after: half of `kv_channels` rotates, base 10000 times `rope_ratio`. */
export const chatglm: Dialect = Object.freeze({
  name: 'rope_ratio',
  modelTypes: ['chatglm'],
  read: (source: Source) => {
    const { fields } = source;
    const ratio = fields.nullableNumber('rope_ratio', { above: 0, max: BOUNDS.factor }) ?? 1;
    const shared = fields.nullableBoolean('multi_query_attention') === true;
    return readDecoder(source, {
      layout: 'interleaved',
      usesPartial: true,
      shape: {
        keys: eitherKeys(source, {
          layers: 'num_layers',
          maxPositions: 'seq_length',
          headDim: 'kv_channels',
          ...(shared && { kvHeads: 'multi_query_group_num' }),
        }),
      },
      blocks: (inner, types) => same(types, plainBlock(inner, THETA * ratio, 0.5)),
    });
  },
});

/** The first Qwen: `rotary_emb_base` and `rotary_pct`, trained on `seq_length` tokens. */
export const qwen: Dialect = Object.freeze({
  name: 'Qwen 1',
  modelTypes: ['qwen'],
  read: (source: Source) => {
    const { fields } = source;
    const theta = fields.nullableNumber('rotary_emb_base', THETA_RULE) ?? THETA;
    const share = fields.nullableNumber('rotary_pct', { max: 1 }) ?? 1;
    return readDecoder(source, {
      usesPartial: true,
      shape: {
        keys: eitherKeys(source, { maxPositions: 'seq_length', headDim: 'kv_channels' }),
      },
      blocks: (inner, types) => same(types, plainBlock(inner, theta, share)),
    });
  },
});

function plainBlock(source: Source, theta: number, partial: number): RopeBlock {
  return {
    fields: new Fields({}, source.fields.at('rope_parameters')),
    type: 'default',
    theta,
    partial,
    outerOriginal: undefined,
    nested: false,
  };
}

function same(types: readonly string[], block: RopeBlock): ReadonlyMap<string, RopeBlock> {
  return new Map([...types, 'full_attention'].map((type) => [type, block]));
}

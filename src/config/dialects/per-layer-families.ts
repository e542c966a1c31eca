import { BOUNDS } from '../bounds.js';
import { slidingWindow } from '../groups.js';
import { perLayer } from './per-layer.js';
import type { Dialect } from './types.js';

/** Gemma 3 and relatives: rope_theta for global layers, rope_local_base_freq for local ones. */
export const gemma3: Dialect = Object.freeze({
  name: 'block per layer type, scaling on global layers',
  modelTypes: ['gemma3_text', 'gemma3n_text', 't5gemma2_text', 't5gemma2_decoder'],
  writes: 'per-layer',
  read: perLayer(
    {
      scalingReaches: ['full_attention'],
      thetaKeys: { full_attention: 'rope_theta', sliding_attention: 'rope_local_base_freq' },
    },
    {
      // Seen from both sides, half of the window lies on each, the token itself included.
      window: (source) => {
        const both = slidingWindow(source);
        return both !== undefined && source.fields.raw('use_bidirectional_attention') === true
          ? Math.floor(both / 2) + 1
          : both;
      },
    },
  ),
});

/** Olmo 3: rope_theta reaches the global layers; local ones keep the class default. */
export const olmo3: Dialect = Object.freeze({
  name: 'block per layer type, one theta',
  modelTypes: ['olmo3'],
  writes: 'per-layer',
  read: perLayer({
    scalingReaches: ['full_attention'],
    thetaKeys: { full_attention: 'rope_theta' },
  }),
});

/** ModernBERT: a flat scaling reaches both types; the window is half on each side. */
export const modernbert: Dialect = Object.freeze({
  name: 'block per layer type, scaling on all layers',
  modelTypes: ['modernbert', 'modernbert-decoder'],
  writes: 'per-layer',
  read: perLayer(
    {
      scalingReaches: ['full_attention', 'sliding_attention'],
      thetaKeys: { full_attention: 'global_rope_theta', sliding_attention: 'local_rope_theta' },
    },
    {
      window: (source) => {
        const both = source.fields.nullableInteger('local_attention', {
          above: 0,
          max: BOUNDS.positions,
        });
        return both === undefined ? undefined : Math.floor(both / 2);
      },
    },
  ),
});

/** Families that only know nested blocks, with a block of the class where a config has none. */
export const nestedOnly: Dialect = Object.freeze({
  name: 'block per layer type, nested only',
  modelTypes: ['laguna', 'mellum', 'mimo_v2_flash', 'ultrabert', 'beam', 'zaya', 'lfm3'],
  writes: 'per-layer',
  read: perLayer({ scalingReaches: [], thetaKeys: {}, outerPartial: false }, { usesPartial: true }),
});

/** NeoMME: as those, with rope_theta outside the blocks. */
export const neomme: Dialect = Object.freeze({
  name: 'block per layer type, outer theta',
  modelTypes: ['neomme'],
  writes: 'per-layer',
  read: perLayer(
    {
      scalingReaches: [],
      thetaKeys: { full_attention: 'rope_theta', sliding_attention: 'rope_theta' },
      outerPartial: false,
    },
    { usesPartial: true },
  ),
});

const GEMMA4_GLOBAL_HEAD_DIM = 512;

/** Gemma 4: proportional RoPE and a wider head on global layers. */
export const gemma4: Dialect = Object.freeze({
  name: 'proportional RoPE on global layers',
  modelTypes: [
    'gemma4_text',
    'gemma4_unified_text',
    'diffusion_gemma_text',
    'embedding_gemma2_text',
  ],
  writes: 'per-layer',
  read: perLayer(
    { scalingReaches: [], thetaKeys: {} },
    {
      headDimOf: (source, layerType, shape) =>
        layerType === 'full_attention'
          ? (source.fields.integer('global_head_dim', { above: 0, max: BOUNDS.headDim }) ??
            GEMMA4_GLOBAL_HEAD_DIM)
          : shape.headDim,
      kvHeadsOf: (source, layerType, shape) =>
        // With attention_k_eq_v the global layers have a number of their own.
        layerType === 'full_attention' && source.fields.nullableBoolean('attention_k_eq_v') === true
          ? (source.fields.nullableInteger('num_global_key_value_heads', {
              above: 0,
              max: BOUNDS.heads,
            }) ?? shape.kvHeads)
          : shape.kvHeads,
    },
  ),
});

/** Families whose scaling can only be written into the block of a layer type. */
export const NESTED_ONLY_TYPES: ReadonlySet<string> = new Set(
  [nestedOnly, neomme, gemma4].flatMap((dialect) => dialect.modelTypes),
);

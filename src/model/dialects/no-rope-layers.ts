import { BOUNDS, fail, show } from '../../json/parse.js';
import { type DecoderRules, type PlacedScaling, readDecoder, slidingWindow } from '../decoder.js';
import { notRope } from '../not-rope.js';
import { type Source, USUAL_KEYS } from '../source.js';
import type { Dialect } from '../types.js';

/** In SmolLM3 and Llama 4, every fourth layer has no RoPE by default. */
const DEFAULT_INTERVAL = 4;

/**
 * Returns which layers rotate. Despite its name, `no_rope_layers` has a 1 for a layer that uses
 * RoPE. If it is empty or missing, `no_rope_layer_interval` decides.
 */
function rotates(source: Source, layers: number): readonly boolean[] {
  const listed = source.fields.nullableList('no_rope_layers');
  if (listed === undefined || listed.length === 0) {
    const interval =
      source.fields.nullableInteger('no_rope_layer_interval', { above: 0, max: BOUNDS.layers }) ??
      DEFAULT_INTERVAL;
    return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0);
  }
  const path = source.fields.at('no_rope_layers');
  if (listed.length < layers) {
    fail('wrong_length', path, `has ${listed.length} entries for ${layers} layers`);
  }
  return listed.slice(0, layers).map((value, index) => {
    if (value !== 0 && value !== 1 && typeof value !== 'boolean') {
      fail('wrong_type', `${path}[${index}]`, `must be 0 or 1, found ${show(value)}`);
    }
    return Boolean(value);
  });
}

/**
 * Returns the layers that have no RoPE according to `no_rope_layers` or, without it, the interval.
 */
export function layersWithout(source: Source, types: readonly string[]): readonly number[] {
  return rotates(source, types.length).flatMap((yes, layer) => (yes ? [] : [layer]));
}

/** SmolLM3: layers without RoPE have a sliding window if `use_sliding_window` is set. */
export const smollm3: Dialect = Object.freeze({
  name: 'listed layers without RoPE',
  modelTypes: ['smollm3'],
  read: (source: Source) =>
    readDecoder(source, {
      withoutRope: layersWithout,
      ...(!source.fields.given('layer_types') && { layerTypes: smollm3Types }),
    }),
});

function smollm3Types(source: Source, layers: number): readonly string[] {
  const window = source.fields.nullableBoolean('use_sliding_window') === true;
  return rotates(source, layers).map((yes) =>
    window && !yes && slidingWindow(source) !== undefined ? 'sliding_attention' : 'full_attention',
  );
}

const LLAMA4_CHUNK = 8192;

/**
 * Reads how layers without RoPE scale their queries. `attn_temperature_tuning` is on by default.
 */
function llama4QueryScaling({ fields }: Source): PlacedScaling | undefined {
  if (fields.has('attn_temperature_tuning') && !fields.raw('attn_temperature_tuning')) {
    return undefined;
  }
  return {
    scaling: {
      scale: fields.nullableNumber('attn_scale', { min: 0, max: BOUNDS.scale }) ?? 0.1,
      window: fields.nullableInteger('floor_scale', { above: 0, max: BOUNDS.positions }) ?? 8192,
      offset: 1,
      layers: 'without-rope',
    },
    path: fields.at('attn_scale'),
  };
}

const LLAMA4: DecoderRules = Object.freeze({
  withoutRope: layersWithout,
  queryScaling: llama4QueryScaling,
  window: (source: Source) =>
    source.fields.nullableInteger('attention_chunk_size', { above: 0, max: BOUNDS.positions }) ??
    (source.fields.has('attention_chunk_size') ? undefined : LLAMA4_CHUNK),
});

/** Llama 4: layers with RoPE attend inside chunks, and layers without it attend to everything. */
export const llama4: Dialect = Object.freeze({
  name: 'chunked layers with RoPE, global layers without',
  modelTypes: ['llama4_text'],
  read: (source: Source) =>
    readDecoder(source, {
      ...LLAMA4,
      ...(!source.fields.given('layer_types') && {
        layerTypes: (inner: Source, layers: number) =>
          rotates(inner, layers).map((yes) => (yes ? 'chunked_attention' : 'full_attention')),
      }),
    }),
});

/** Cohere2, AFMoE and Flint: global layers have no positions at all. */
export const cohere2: Dialect = Object.freeze({
  name: 'RoPE on sliding layers only',
  modelTypes: ['cohere2', 'cohere2_moe', 'afmoe', 'flint'],
  read: (source: Source) =>
    readDecoder(source, {
      withoutRope: (_source, types) => indicesOf(types, 'full_attention'),
      ...(source.modelType === 'cohere2_moe' && { flat: { dropsRopeScaling: true } }),
    }),
});

/** Exaone 4: like Cohere2, but if there is no window, every layer rotates. */
export const exaone4: Dialect = Object.freeze({
  name: 'RoPE on sliding layers where there is a window',
  modelTypes: ['exaone4', 'exaone_moe', 'kolibri1'],
  read: (source: Source) =>
    readDecoder(source, {
      withoutRope: (inner, types) =>
        slidingWindow(inner) === undefined ? [] : indicesOf(types, 'full_attention'),
      ...(slidingWindow(source) === undefined && {
        layerTypes: (_inner: Source, layers: number) =>
          Array.from({ length: layers }, () => 'full_attention'),
      }),
    }),
});

function indicesOf(types: readonly string[], type: string): readonly number[] {
  return types.flatMap((name, layer) => (name === type ? [layer] : []));
}

/** One layer in this many, counted back from the last, has full attention without RoPE. */
const MUSE_INTERVAL = 4;

function isEveryFourth(layer: number, layers: number): boolean {
  return (layers - 1 - layer) % MUSE_INTERVAL === 0;
}

/**
 * Muse: `layer_rope_theta` is 0 for layers without RoPE. Its other values are not read, since the
 * theta of the block applies (transformers `MuseGlimmerTextModel`, `MuseSparkTextModel`).
 */
export const muse: Dialect = Object.freeze({
  name: 'no RoPE on every fourth layer from the end',
  modelTypes: ['muse_glimmer_text', 'muse_spark_text'],
  read: (source: Source) =>
    readDecoder(source, {
      ...(!source.fields.given('layer_types') && {
        layerTypes: (_inner: Source, layers: number) =>
          Array.from({ length: layers }, (_, layer) =>
            isEveryFourth(layer, layers) ? 'full_attention' : 'sliding_attention',
          ),
      }),
      withoutRope: (inner, types) => {
        const thetas = inner.fields.nullableList('layer_rope_theta');
        return types.flatMap((_type, layer) => {
          const without =
            thetas === undefined ? isEveryFourth(layer, types.length) : thetas[layer] === 0;
          return without ? [layer] : [];
        });
      },
    }),
});

/**
 * The dialects below are hybrids whose attention layers rotate only if the config asks for it.
 * Otherwise the state-space layers supply the order, and a theta in the file has no effect.
 */

/**
 * Granite 4 H: rotates if `position_embedding_type` is "rope", and not if it is "nope" or missing.
 */
export const graniteHybrid: Dialect = Object.freeze({
  name: 'position_embedding_type, none by default',
  modelTypes: ['granitemoehybrid'],
  read: (source: Source) =>
    source.fields.nullableString('position_embedding_type') === 'rope'
      ? readDecoder(source)
      : notRope(source, 'none'),
});

/** Zamba2: rotates if `use_mem_rope` is set; it is false by default. */
export const zamba2: Dialect = Object.freeze({
  name: 'use_mem_rope',
  modelTypes: ['zamba2'],
  read: (source: Source) =>
    source.fields.nullableBoolean('use_mem_rope') === true
      ? readDecoder(source, {
          shape: {
            keys: { ...USUAL_KEYS, headDim: 'head_dim' },
            // The attention works on two concatenated streams, so its heads are twice as wide.
            derivedHeadDim: (hidden, heads) => Math.floor((2 * hidden) / heads),
          },
          // For the same reason, only half of a head counts under the root.
          softmax: { queryDim: (_source, shape) => shape.headDim / 2 },
        })
      : notRope(source, 'none'),
});

import { BOUNDS, fail, show } from '../../json/bounds.js';
import { type DecoderRules, type PlacedScaling, readDecoder, slidingWindow } from '../decoder.js';
import { notRope } from '../not-rope.js';
import { type Source, USUAL_KEYS } from '../source.js';
import type { Dialect } from '../types.js';

/** Every fourth layer goes without RoPE, in SmolLM3 and Llama 4. */
const DEFAULT_INTERVAL = 4;

/**
 * Which layers rotate: `no_rope_layers` has 1 for a layer that uses RoPE (despite its name). An
 * empty or missing list follows `no_rope_layer_interval`.
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

/** The layers that `no_rope_layers`, or the interval in its place, leaves without RoPE. */
export function layersWithout(source: Source, types: readonly string[]): readonly number[] {
  return rotates(source, types.length).flatMap((yes, layer) => (yes ? [] : [layer]));
}

/** SmolLM3: layers without RoPE may slide instead. */
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

/** `attn_temperature_tuning`, on by default: layers without RoPE scale their queries. */
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

/** Llama 4: layers with RoPE attend inside chunks, layers without it see everything. */
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

/** Exaone 4: as Cohere2, but without a window every layer rotates. */
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

/** Full attention without RoPE on every fourth layer, counted back from the last. */
const MUSE_INTERVAL = 4;

function isEveryFourth(layer: number, layers: number): boolean {
  return (layers - 1 - layer) % MUSE_INTERVAL === 0;
}

/**
 * Muse: `layer_rope_theta` is 0 for layers without RoPE. Other values in it are not read; the theta
 * of the block holds (transformers `MuseGlimmerTextModel`, `MuseSparkTextModel`).
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
 * Hybrids whose attention layers rotate only where the config asks for it. Their order comes from
 * the state-space layers otherwise; a theta in the file has no effect then.
 */

/** Granite 4 H: `position_embedding_type` is "rope", or "nope" or missing. */
export const graniteHybrid: Dialect = Object.freeze({
  name: 'position_embedding_type, none by default',
  modelTypes: ['granitemoehybrid'],
  read: (source: Source) =>
    source.fields.nullableString('position_embedding_type') === 'rope'
      ? readDecoder(source)
      : notRope(source, 'none'),
});

/** Zamba2: `use_mem_rope`, false by default. */
export const zamba2: Dialect = Object.freeze({
  name: 'use_mem_rope',
  modelTypes: ['zamba2'],
  read: (source: Source) =>
    source.fields.nullableBoolean('use_mem_rope') === true
      ? readDecoder(source, {
          shape: {
            keys: { ...USUAL_KEYS, headDim: 'head_dim' },
            // It attends over the concatenation of two streams.
            derivedHeadDim: (hidden, heads) => Math.floor((2 * hidden) / heads),
          },
          // Hence half of a head counts under the root.
          softmax: { queryDim: (_source, shape) => shape.headDim / 2 },
        })
      : notRope(source, 'none'),
});

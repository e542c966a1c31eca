import { BOUNDS, fail, show } from '../../json/parse.js';
import { POSITIVE } from '../../json/fields.js';
import {
  type DecoderRules,
  dialect,
  type PlacedScaling,
  readDecoder,
  slidingWindow,
} from '../decoder.js';
import { notRope } from '../not-rope.js';
import type { Source } from '../source.js';
import type { Dialect } from '../types.js';

/** In SmolLM3 and Llama 4, every fourth layer has no RoPE by default. */
const DEFAULT_INTERVAL = 4;

/**
 * Returns which layers rotate. Despite its name, `no_rope_layers` has a 1 for a layer that uses
 * RoPE. If it is empty or missing, `no_rope_layer_interval` decides.
 */
function rotates({ fields }: Source, layers: number): readonly boolean[] {
  const listed = fields.nullableList('no_rope_layers');
  if (listed === undefined || listed.length === 0) {
    const interval =
      fields.nullableInteger('no_rope_layer_interval', POSITIVE.layers) ?? DEFAULT_INTERVAL;
    return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0);
  }
  const path = fields.at('no_rope_layers');
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

/** Returns the layers that have no RoPE according to `no_rope_layers` or the interval. */
export function layersWithout(source: Source, types: readonly string[]): readonly number[] {
  return rotates(source, types.length).flatMap((yes, layer) => (yes ? [] : [layer]));
}

/** SmolLM3: layers without RoPE have a sliding window if `use_sliding_window` is set. */
const smollm3 = dialect(
  { name: 'listed layers without RoPE', modelTypes: ['smollm3'] },
  {
    withoutRope: layersWithout,
    unlistedTypes: (source, layers) => {
      const window = source.fields.nullableBoolean('use_sliding_window') === true;
      return rotates(source, layers).map((yes) =>
        window && !yes && slidingWindow(source) !== undefined
          ? 'sliding_attention'
          : 'full_attention',
      );
    },
  },
);

const LLAMA4_CHUNK = 8192;

/** How layers without RoPE scale their queries. `attn_temperature_tuning` is on by default. */
function llama4QueryScaling({ fields }: Source): PlacedScaling | undefined {
  if (fields.has('attn_temperature_tuning') && !fields.raw('attn_temperature_tuning')) {
    return undefined;
  }
  return {
    scaling: {
      scale: fields.nullableNumber('attn_scale', { min: 0, max: BOUNDS.scale }) ?? 0.1,
      window: fields.nullableInteger('floor_scale', POSITIVE.tokens) ?? 8192,
      offset: 1,
      layers: 'without-rope',
    },
    path: fields.at('attn_scale'),
  };
}

/** Llama 4: layers with RoPE attend inside chunks, and layers without it attend to everything. */
const llama4 = dialect(
  { name: 'chunked layers with RoPE, global layers without', modelTypes: ['llama4_text'] },
  {
    withoutRope: layersWithout,
    queryScaling: llama4QueryScaling,
    window: ({ fields }) =>
      fields.nullableInteger('attention_chunk_size', POSITIVE.tokens) ??
      (fields.has('attention_chunk_size') ? undefined : LLAMA4_CHUNK),
    unlistedTypes: (source, layers) =>
      rotates(source, layers).map((yes) => (yes ? 'chunked_attention' : 'full_attention')),
  },
);

const GLOBAL_WITHOUT_ROPE: DecoderRules = Object.freeze<DecoderRules>({
  withoutRope: (_source, types) =>
    types.flatMap((type, layer) => (type === 'full_attention' ? [layer] : [])),
});

/** Cohere2, AFMoE and Flint: global layers have no positions at all. */
const cohere2 = dialect(
  {
    name: 'RoPE on sliding layers only',
    modelTypes: ['cohere2', 'cohere2_moe', 'afmoe', 'flint'],
  },
  ({ modelType }) => ({
    ...GLOBAL_WITHOUT_ROPE,
    ...(modelType === 'cohere2_moe' && { flat: { dropsRopeScaling: true } }),
  }),
);

/** Exaone 4: like Cohere2, but if there is no window, every layer rotates. */
const exaone4 = dialect(
  {
    name: 'RoPE on sliding layers where there is a window',
    modelTypes: ['exaone4', 'exaone_moe', 'kolibri1'],
  },
  (source) =>
    slidingWindow(source) === undefined
      ? { layerTypes: (_source, length) => Array.from({ length }, () => 'full_attention') }
      : GLOBAL_WITHOUT_ROPE,
);

/** One layer in this many, counted back from the last, has full attention without RoPE. */
const MUSE_INTERVAL = 4;

function isEveryFourth(layer: number, layers: number): boolean {
  return (layers - 1 - layer) % MUSE_INTERVAL === 0;
}

/**
 * Muse: `layer_rope_theta` is 0 for layers without RoPE. Its other values are not read, since the
 * theta of the block applies (transformers `MuseGlimmerTextModel`, `MuseSparkTextModel`).
 */
const muse = dialect(
  {
    name: 'no RoPE on every fourth layer from the end',
    modelTypes: ['muse_glimmer_text', 'muse_spark_text'],
  },
  {
    unlistedTypes: (_source, length) =>
      Array.from({ length }, (_, layer) =>
        isEveryFourth(layer, length) ? 'full_attention' : 'sliding_attention',
      ),
    withoutRope: ({ fields }, types) => {
      const thetas = fields.nullableList('layer_rope_theta');
      const without = (layer: number): boolean =>
        thetas === undefined ? isEveryFourth(layer, types.length) : thetas[layer] === 0;
      return types.flatMap((_type, layer) => (without(layer) ? [layer] : []));
    },
  },
);

/**
 * The dialects below are hybrids whose attention layers rotate only if the config asks for it.
 * Otherwise the state-space layers supply the order, and a theta in the file has no effect.
 */

/** Granite 4 H: rotates if `position_embedding_type` is "rope", not if it is "nope" or missing. */
const graniteHybrid = Object.freeze<Dialect>({
  name: 'position_embedding_type, none by default',
  modelTypes: ['granitemoehybrid'],
  read: (source) =>
    source.fields.nullableString('position_embedding_type') === 'rope'
      ? readDecoder(source)
      : notRope(source, 'none'),
});

/** Zamba2: rotates if `use_mem_rope` is set; it is false by default. */
const zamba2 = Object.freeze<Dialect>({
  name: 'use_mem_rope',
  modelTypes: ['zamba2'],
  read: (source) =>
    source.fields.nullableBoolean('use_mem_rope') === true
      ? readDecoder(source, {
          // The attention works on two concatenated streams, so its heads are twice as wide.
          shape: { derivedHeadDim: (hidden, heads) => Math.floor((2 * hidden) / heads) },
          // For the same reason, only half of a head counts under the root.
          softmax: { queryDim: (_source, shape) => shape.headDim / 2 },
        })
      : notRope(source, 'none'),
});

/** The dialects of this file. */
export const NO_ROPE_DIALECTS: readonly Dialect[] = Object.freeze([
  smollm3,
  llama4,
  cohere2,
  exaone4,
  muse,
  graniteHybrid,
  zamba2,
]);

import { allSlidingTypes, type DecoderRules, narrowWindow, readDecoder } from '../decoder.js';
import { eitherKeys, type Shape, type Source } from '../source.js';
import type { Dialect } from '../types.js';

/**
 * The rules of LLaMA: one block, head_dim or hidden / heads, and theta inside or outside the block.
 * Model types without their own dialect are read this way.
 */
export const plain: Dialect = Object.freeze({
  name: 'plain decoder',
  modelTypes: [],
  read: (source: Source) => readDecoder(source),
});

/** LLaMA itself also refuses a width that is not a multiple of its heads. */
export const llama: Dialect = Object.freeze({
  name: 'llama',
  modelTypes: ['llama'],
  read: (source: Source) => readDecoder(source, { shape: { mustDivide: true } }),
});

/** Classes that refuse every scaling (`RecurrentGemmaRotaryEmbedding`, `Cosmos3EdgeTextConfig`). */
export const defaultOnly: Dialect = Object.freeze({
  name: 'default frequencies only',
  modelTypes: ['recurrent_gemma', 'cosmos3_edge_text'],
  writes: 'fixed',
  read: (source: Source) => readDecoder(source, { flat: { accepts: ['default'] } }),
});

/**
 * Command R was published with `max_position_embeddings` 8192, which sized a buffer, and the window
 * that it was trained on in `model_max_length` (131072), which engines serve.
 */
export const cohere: Dialect = Object.freeze({
  name: 'model_max_length',
  modelTypes: ['cohere'],
  read: (source: Source) => {
    const keys = eitherKeys(source, { maxPositions: 'model_max_length' });
    return readDecoder(source, { shape: { keys } });
  },
});

const ALL_SLIDING: DecoderRules = Object.freeze({ layerTypes: allSlidingTypes });

/** Models whose `sliding_window` applies to every layer. */
export const allSliding: Dialect = Object.freeze({
  name: 'sliding window on all layers',
  modelTypes: [
    'mistral',
    'mixtral',
    'ministral',
    'ministral3',
    'starcoder2',
    'openai_privacy_filter',
  ],
  read: (source: Source) =>
    readDecoder(source, source.fields.given('layer_types') ? {} : ALL_SLIDING),
});

/**
 * Models with a sliding window on the layers from `max_window_layers` up, if `use_sliding_window`
 * is set.
 */
export const upperSliding: Dialect = Object.freeze({
  name: 'sliding window on upper layers',
  modelTypes: ['qwen2', 'qwen3', 'qwen3_moe', 'dots1'],
  read: (source: Source) => readDecoder(source, upperSlidingRules(source)),
});

/** Returns the layer types of Qwen2, unless the config lists them. */
export function upperSlidingRules(source: Source): DecoderRules {
  return windowedRules(source, (layer, from) => layer >= from);
}

/**
 * Qwen2-MoE: every second layer below `max_window_layers` slides (transformers `Qwen2MoeConfig`).
 */
export const lowerSliding: Dialect = Object.freeze({
  name: 'sliding window on every second lower layer',
  modelTypes: ['qwen2_moe'],
  read: (source: Source) =>
    readDecoder(
      source,
      windowedRules(source, (layer, limit) => layer % 2 === 0 && layer < limit),
    ),
});

function windowedRules(
  source: Source,
  slides: (layer: number, maxWindowLayers: number) => boolean,
): DecoderRules {
  if (source.fields.given('layer_types')) return {};
  return {
    layerTypes: (inner: Source, layers: number, shape: Shape) => {
      // dots1 has no such switch, so there the window alone decides.
      const on = inner.fields.nullableBoolean('use_sliding_window') ?? inner.modelType === 'dots1';
      const limit =
        inner.fields.nullableInteger('max_window_layers', {
          min: 0,
          max: Number.MAX_SAFE_INTEGER,
        }) ?? DEFAULT_MAX_WINDOW_LAYERS;
      const window = on ? narrowWindow(inner, shape) : undefined;
      return Array.from({ length: layers }, (_, layer) =>
        window !== undefined && slides(layer, limit) ? 'sliding_attention' : 'full_attention',
      );
    },
  };
}

/** The class default of Qwen2Config and its relatives. */
const DEFAULT_MAX_WINDOW_LAYERS = 28;

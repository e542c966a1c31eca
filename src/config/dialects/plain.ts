import { type DecoderRules, readDecoder } from '../decoder.js';
import type { Shape, Source } from '../source.js';
import { allSlidingTypes, narrowWindow } from '../groups.js';
import type { Dialect } from './types.js';

/**
 * The LLaMA rule: one block, head_dim or hidden / heads, theta outside or inside the block.
 * Model types without a dialect of their own are read like this.
 */
export const plain: Dialect = Object.freeze({
  name: 'plain decoder',
  modelTypes: [],
  read: (source: Source) => readDecoder(source),
});

/** LLaMA itself also refuses a width that its heads do not divide. */
export const llama: Dialect = Object.freeze({
  name: 'llama',
  modelTypes: ['llama'],
  read: (source: Source) => readDecoder(source, { shape: { mustDivide: true } }),
});

const ALL_SLIDING: DecoderRules = Object.freeze({ layerTypes: allSlidingTypes });

/** `sliding_window` is a window on every layer. */
export const allSliding: Dialect = Object.freeze({
  name: 'sliding window on all layers',
  modelTypes: ['mistral', 'mixtral', 'ministral', 'starcoder2'],
  read: (source: Source) =>
    readDecoder(source, source.fields.given('layer_types') ? {} : ALL_SLIDING),
});

/** A window on the layers from `max_window_layers` on, if `use_sliding_window` says so. */
export const upperSliding: Dialect = Object.freeze({
  name: 'sliding window on upper layers',
  modelTypes: ['qwen2', 'qwen3', 'qwen2_moe', 'qwen3_moe', 'dots1'],
  read: (source: Source) =>
    readDecoder(source, source.fields.given('layer_types') ? {} : UPPER_SLIDING),
});

const UPPER_SLIDING: DecoderRules = Object.freeze({
  layerTypes: (source: Source, layers: number, shape: Shape) => {
    // dots1 has no switch: there the window alone counts.
    const on = source.fields.nullableBoolean('use_sliding_window') ?? source.modelType === 'dots1';
    const from =
      source.fields.nullableInteger('max_window_layers', {
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
      }) ?? DEFAULT_MAX_WINDOW_LAYERS;
    const window = on ? narrowWindow(source, shape) : undefined;
    return Array.from({ length: layers }, (_, layer) =>
      window !== undefined && layer >= from ? 'sliding_attention' : 'full_attention',
    );
  },
});

/** Class default of Qwen2Config and its relatives. */
const DEFAULT_MAX_WINDOW_LAYERS = 28;

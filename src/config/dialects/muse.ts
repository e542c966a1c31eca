import { readDecoder } from '../decoder.js';
import type { Source } from '../source.js';
import type { Dialect } from './types.js';

/** Full attention without RoPE on every fourth layer, counted back from the last. */
const INTERVAL = 4;

function isEveryFourth(layer: number, layers: number): boolean {
  return (layers - 1 - layer) % INTERVAL === 0;
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

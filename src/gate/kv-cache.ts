import type { ModelGeometry } from '../config/types.js';
import { cacheBytes, layerSpans } from '../geometry/cache-cost.js';

const GIB = 1024 ** 3;

/** KV cache of one sequence in 16-bit, GiB; undefined for a model without attention layers. */
export function kvCacheGiB(model: ModelGeometry, tokens: number): number | undefined {
  const spans = layerSpans(model);
  if (spans.length === 0) return undefined;
  return cacheBytes(model.attention, spans, tokens, 'bfloat16') / GIB;
}

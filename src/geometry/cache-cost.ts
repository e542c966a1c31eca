import type { AttentionShape, ModelGeometry } from '../config/types.js';

/** Formats a KV cache is kept in, and their bytes per number. */
export const CACHE_DTYPES = Object.freeze({
  float32: 4,
  bfloat16: 2,
  float16: 2,
  float8: 1,
  int8: 1,
  int4: 0.5,
});

export type CacheDtype = keyof typeof CACHE_DTYPES;

/** Attention layers that look back equally far. */
export interface LayerSpan {
  readonly count: number;
  readonly kind: 'global' | 'sliding' | 'chunked';
  /** Tokens; null = everything before. */
  readonly window: number | null;
  /** Where they differ from the rest of the model. */
  readonly headDim?: number;
  readonly kvHeads?: number;
}

/**
 * Attention layers by how far they look back. Layers without RoPE are global: the models that
 * leave RoPE out do so on layers that see the whole context. Layers without attention (state
 * space, convolution) hold no keys and are not in the list.
 */
export function layerSpans(model: ModelGeometry): LayerSpan[] {
  const spans: LayerSpan[] = [];
  const add = (span: LayerSpan): void => {
    const index = spans.findIndex(
      ({ kind, window, headDim, kvHeads }) =>
        kind === span.kind &&
        window === span.window &&
        headDim === span.headDim &&
        kvHeads === span.kvHeads,
    );
    const known = spans[index];
    if (known === undefined) spans.push(span);
    else spans[index] = { ...known, count: known.count + span.count };
  };
  for (const { layers, span, headDim, kvHeads } of model.groups) {
    if (layers.length === 0) continue;
    const window = span.kind === 'global' ? null : span.window;
    add({
      count: layers.length,
      kind: span.kind,
      window,
      ...(headDim !== undefined && { headDim }),
      ...(kvHeads !== undefined && { kvHeads }),
    });
  }
  const without = model.layersWithoutRope.length;
  if (without > 0) add({ count: without, kind: 'global', window: null });
  return spans;
}

/**
 * Numbers that one layer keeps per token; a layer's own head size and count win.
 *
 * Keys and values: `2 * kvHeads * headDim`, which covers multi-head, grouped-query (Ainslie et al.
 * 2023, arXiv:2305.13245) and multi-query attention (Shazeer 2019, arXiv:1911.02150).
 * Multi-head latent attention keeps one latent vector and one rotated key for all heads
 * (DeepSeek-V2, arXiv:2405.04434, section 2.1.2): `rank + ropeDim`.
 */
export function cacheNumbersPerToken(
  shape: AttentionShape,
  own: { readonly headDim?: number; readonly kvHeads?: number } = {},
): number {
  const { latent } = shape;
  const { headDim = shape.headDim, kvHeads = shape.kvHeads } = own;
  return latent === undefined ? 2 * kvHeads * headDim : latent.rank + latent.ropeDim;
}

/**
 * Bytes of the KV cache of one sequence: a layer with a window keeps that many tokens at most.
 *
 * @param tokens length of the sequence
 */
export function cacheBytes(
  shape: AttentionShape,
  spans: readonly LayerSpan[],
  tokens: number,
  dtype: CacheDtype,
): number {
  return spans.reduce((sum, span) => {
    const perToken = cacheNumbersPerToken(shape, span) * CACHE_DTYPES[dtype];
    return sum + span.count * perToken * Math.min(tokens, span.window ?? tokens);
  }, 0);
}

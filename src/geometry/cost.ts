import type { AttentionShape, ModelGeometry } from '../model/types.js';
import { CACHE_DTYPES, type CacheDtype } from './dtypes.js';
import type { CostReport } from './schema.js';

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

/**
 * Keys that a query of one layer attends to, averaged over a causal prefill of `tokens`.
 *
 * Global: `(L + 1) / 2`. Sliding window w: the mean of min(m, w). Chunks of w: `(w + 1) / 2` in
 * each whole chunk. The current token counts as a key.
 */
export function meanPrefillKeys({ kind, window }: LayerSpan, tokens: number): number {
  if (window === null || window >= tokens) return (tokens + 1) / 2;
  if (kind === 'chunked') {
    const rest = tokens % window;
    const whole = tokens - rest;
    return (whole * ((window + 1) / 2) + rest * ((rest + 1) / 2)) / tokens;
  }
  return (window * ((window + 1) / 2) + (tokens - window) * window) / tokens;
}

/**
 * Keys that the next query attends to when the cache holds `tokens`, itself included.
 * For chunks this is the most that can occur, the end of a chunk.
 */
export function decodeKeys({ window }: LayerSpan, tokens: number): number {
  return window === null ? tokens : Math.min(tokens, window);
}

/**
 * Floating-point operations of attention scores and their weighted sum, per query token over all
 * layers: `2 * 2 * heads * headDim * keys` a layer (Kaplan et al. 2020, arXiv:2001.08361, table 1,
 * with two operations a multiply-add). Projections are left out: they do not grow with length.
 *
 * Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1.2) is done in two ways.
 * In prefill engines expand the latents, so a score is over `nope + rope` dimensions and the sum
 * over a value's. In decode they work on the latents as cached, because expanding all of them for
 * one token would cost more: scores over `rank + rope`, the sum over `rank`.
 */
export function attentionFlops(
  shape: AttentionShape,
  spans: readonly LayerSpan[],
  phase: 'prefill' | 'decode',
  tokens: number,
): number {
  const keysOf = phase === 'prefill' ? meanPrefillKeys : decodeKeys;
  return spans.reduce((sum, span) => {
    const width = scoreAndSumWidth(shape, span.headDim ?? shape.headDim, phase);
    return sum + span.count * 2 * shape.heads * width * keysOf(span, tokens);
  }, 0);
}

/** Multiply-adds of one head for one key: its score, and its share of the weighted sum. */
function scoreAndSumWidth(
  { latent }: AttentionShape,
  headDim: number,
  phase: 'prefill' | 'decode',
): number {
  if (latent === undefined) return 2 * headDim;
  const { rank, ropeDim, nopeDim, valueDim } = latent;
  return phase === 'prefill' ? nopeDim + ropeDim + valueDim : 2 * rank + ropeDim;
}

export interface CostOptions {
  readonly trainedWindow: number;
  /** Tokens; any order. */
  readonly lengths: readonly number[];
  readonly dtype: CacheDtype;
  /** 1e9 bytes a second. */
  readonly bandwidthGBps: number | null;
}

/**
 * The price of a longer window, from the shape of the attention alone.
 *
 * Decoding one token of one sequence reads its cache once, so `bytes / bandwidth` is a lower limit
 * for the part that grows with the length (Pope et al. 2022, "Efficiently Scaling Transformer
 * Inference", arXiv:2211.05102, section 2). The weights, read as well, do not grow and are left out.
 *
 * @returns null for a bidirectional model, which decodes nothing and keeps no cache, and for one
 *   without attention layers
 */
export function costOf(model: ModelGeometry, options: CostOptions): CostReport | null {
  const { trainedWindow, lengths, dtype, bandwidthGBps } = options;
  const shape = model.attention;
  const spans = layerSpans(model);
  if (model.bidirectional === true || spans.length === 0) return null;
  const bytesOf = (wanted: (span: LayerSpan) => boolean): number =>
    spans
      .filter(wanted)
      .reduce((sum, span) => sum + span.count * cacheNumbersPerToken(shape, span), 0) *
    CACHE_DTYPES[dtype];
  const prefillAtTrained = attentionFlops(shape, spans, 'prefill', trainedWindow);
  const decodeAtTrained = attentionFlops(shape, spans, 'decode', trainedWindow);
  return {
    dtype,
    bytesPerNumber: CACHE_DTYPES[dtype],
    bandwidthGBps,
    spans: spans.map(({ count, kind, window }) => ({ count, kind, window })),
    kvBytesPerToken: bytesOf(() => true),
    kvGrowthPerToken: bytesOf(({ window }) => window === null),
    lengths: lengths.map((tokens) => {
      const kvBytes = cacheBytes(shape, spans, tokens, dtype);
      const prefill = attentionFlops(shape, spans, 'prefill', tokens);
      const decode = attentionFlops(shape, spans, 'decode', tokens);
      return {
        tokens,
        kvBytes,
        kvBytesPerToken: kvBytes / tokens,
        prefillFlopsPerToken: prefill,
        decodeFlopsPerToken: decode,
        prefillMultiple: prefill / prefillAtTrained,
        decodeMultiple: decode / decodeAtTrained,
        decodeReadMs: bandwidthGBps === null ? null : (kvBytes / (bandwidthGBps * 1e9)) * 1e3,
      };
    }),
  };
}

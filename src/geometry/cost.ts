import type { ModelGeometry } from '../config/types.js';
import { attentionFlops } from './attention-cost.js';
import {
  CACHE_DTYPES,
  cacheBytes,
  cacheNumbersPerToken,
  layerSpans,
  type CacheDtype,
  type LayerSpan,
} from './cache-cost.js';

/** What one sequence costs at one length. */
export interface LengthCost {
  readonly tokens: number;
  /** KV cache of the sequence. */
  readonly kvBytes: number;
  /** kvBytes / tokens. */
  readonly kvBytesPerToken: number;
  /** Attention operations per token: mean over a causal prefill, and for the next token. */
  readonly prefillFlopsPerToken: number;
  readonly decodeFlopsPerToken: number;
  /** The same as a multiple of the trained window's. */
  readonly prefillMultiple: number;
  readonly decodeMultiple: number;
  /** Time to read the cache once, which every decoded token needs; null without a bandwidth. */
  readonly decodeReadMs: number | null;
}

export interface CostReport {
  readonly dtype: CacheDtype;
  readonly bytesPerNumber: number;
  /** Memory bandwidth in 1e9 bytes a second, as given. */
  readonly bandwidthGBps: number | null;
  readonly spans: readonly LayerSpan[];
  /** Bytes that one more token adds while it is inside every window. */
  readonly kvBytesPerToken: number;
  /** Bytes that one more token adds once the windows are full: global layers only. */
  readonly kvGrowthPerToken: number;
  readonly lengths: readonly LengthCost[];
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

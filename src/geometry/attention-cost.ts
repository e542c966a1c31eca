import type { AttentionShape } from '../config/types.js';
import type { LayerSpan } from './cache-cost.js';

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

import type { RotaryInputs } from './types.js';

/**
 * cos and sin of every angle, times the attention scaling; angles in float64. A pair that stands
 * still is left as it is, scaling included: transformers does not touch what does not rotate.
 *
 * @param invFreq (pairs,) radians per token; 0: the pair stands still
 * @param positions (rows,) tokens, fractions allowed
 * @returns (rows, pairs) float32 each
 */
export function cosSin(
  invFreq: Float64Array,
  attentionScaling: number,
  positions: ArrayLike<number>,
): { cos: Float32Array; sin: Float32Array } {
  const pairs = invFreq.length;
  const cos = new Float32Array(positions.length * pairs);
  const sin = new Float32Array(positions.length * pairs);
  for (let t = 0; t < positions.length; t++)
    for (let i = 0; i < pairs; i++) {
      const angle = positions[t]! * invFreq[i]!;
      const scaling = invFreq[i] === 0 ? 1 : attentionScaling;
      cos[t * pairs + i] = Math.cos(angle) * scaling;
      sin[t * pairs + i] = Math.sin(angle) * scaling;
    }
  return { cos, sin };
}

/** The ordinary case: queries and keys share one table. */
export function sharedTable(
  invFreq: Float64Array,
  attentionScaling: number,
  positions: ArrayLike<number>,
): RotaryInputs {
  const { cos, sin } = cosSin(invFreq, attentionScaling, positions);
  return {
    rows: positions.length,
    pairs: invFreq.length,
    qCos: cos,
    qSin: sin,
    kCos: cos,
    kSin: sin,
  };
}

/**
 * Keys as a cache keeps them: index t stands at position t and has a table of its own.
 *
 * @param tables (rows) one an index, all of the same number of pairs
 */
export function cachedTable(
  tables: readonly { readonly invFreq: Float64Array; readonly attentionScaling: number }[],
): RotaryInputs {
  const pairs = tables[0]!.invFreq.length;
  const cos = new Float32Array(tables.length * pairs);
  const sin = new Float32Array(tables.length * pairs);
  tables.forEach(({ invFreq, attentionScaling }, t) => {
    const row = cosSin(invFreq, attentionScaling, [t]);
    cos.set(row.cos, t * pairs);
    sin.set(row.sin, t * pairs);
  });
  return { rows: tables.length, pairs, qCos: cos, qSin: sin, kCos: cos, kSin: sin };
}

import type { RotaryInputs, RotaryTable } from './types.js';

/**
 * cos and sin of every angle, times what multiplies queries and keys; angles in float64. Attention
 * scaling multiplies what rotates and nothing else, as transformers has it: a pair that stands
 * still has the multiplier of the whole head alone.
 *
 * @param positions (rows,) tokens, fractions allowed
 * @returns (rows, pairs) float32 each
 */
export function cosSin(
  { invFreq, attentionScaling, headScaling = 1 }: RotaryTable,
  positions: ArrayLike<number>,
): { cos: Float32Array; sin: Float32Array } {
  const pairs = invFreq.length;
  const cos = new Float32Array(positions.length * pairs);
  const sin = new Float32Array(positions.length * pairs);
  for (let t = 0; t < positions.length; t++)
    for (let i = 0; i < pairs; i++) {
      const angle = positions[t]! * invFreq[i]!;
      const scaling = invFreq[i] === 0 ? headScaling : attentionScaling * headScaling;
      cos[t * pairs + i] = Math.cos(angle) * scaling;
      sin[t * pairs + i] = Math.sin(angle) * scaling;
    }
  return { cos, sin };
}

/** The ordinary case: queries and keys share one table. */
export function sharedTable(table: RotaryTable, positions: ArrayLike<number>): RotaryInputs {
  const { cos, sin } = cosSin(table, positions);
  return {
    rows: positions.length,
    pairs: table.invFreq.length,
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
export function cachedTable(tables: readonly RotaryTable[]): RotaryInputs {
  const pairs = tables[0]!.invFreq.length;
  const cos = new Float32Array(tables.length * pairs);
  const sin = new Float32Array(tables.length * pairs);
  tables.forEach((table, t) => {
    const row = cosSin(table, [t]);
    cos.set(row.cos, t * pairs);
    sin.set(row.sin, t * pairs);
  });
  return { rows: tables.length, pairs, qCos: cos, qSin: sin, kCos: cos, kSin: sin };
}

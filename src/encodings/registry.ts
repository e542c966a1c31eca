/** What a model is told of positions besides rotation; empty: it has only the causal mask. */
export interface PositionInputs {
  /** (length, width) added to the token embeddings. */
  readonly added?: Float32Array;
  /** (heads, length) added to the attention logits, by distance in tokens. */
  readonly bias?: Float32Array;
}

/** What a position encoding depends on. */
export interface EncodingShape {
  readonly width: number;
  readonly heads: number;
}

/** A table that was trained together with the weights, row-major. */
export interface TrainedTable {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** A position encoding other than RoPE. */
export interface PositionEncoding {
  readonly title: string;
  /** How many positions it has entries for; absent: any number. */
  readonly entries?: (table: TrainedTable) => number;
  /**
   * Computes what the model receives.
   *
   * @param length tokens
   * @param table if the encoding has a trained one
   * @throws RangeError beyond the last entry, since no substitute is made up
   */
  readonly inputs: (length: number, shape: EncodingShape, table?: TrainedTable) => PositionInputs;
}

/** Returns a table that must be there. @throws RangeError if it is missing or of another shape */
export function required(table: TrainedTable | undefined, columns: number): TrainedTable {
  if (table?.columns !== columns || table.values.length !== table.rows * columns)
    throw new RangeError(`a trained table of ${columns} columns is needed`);
  return table;
}

/**
 * Returns the slope of each head: 2^(-8/n), 2^(-16/n), ... for n heads (Press et al. 2022, section
 * 3, arXiv:2108.12409). If n is not a power of two, they are the slopes of the next smaller power,
 * followed by every other slope of the next larger one, as in transformers' `build_alibi_tensor`
 * (BLOOM).
 *
 * @returns (heads,)
 */
export function alibiSlopes(heads: number): number[] {
  const floor = 2 ** Math.floor(Math.log2(heads));
  const series = (n: number): number[] =>
    Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n));
  const more = series(2 * floor).filter((_, i) => i % 2 === 0);
  return [...series(floor), ...more.slice(0, heads - floor)];
}

/** ALiBi: a fixed penalty on distance, -slope * distance, is added to the attention logits. */
export const alibi: PositionEncoding = {
  title: 'ALiBi',
  inputs: (length, { heads }) => {
    const bias = new Float32Array(heads * length);
    alibiSlopes(heads).forEach((slope, h) => {
      for (let d = 0; d < length; d++) bias[h * length + d] = -slope * d;
    });
    return { bias };
  },
};

/** Learned absolute positions (GPT-2: `wpe`): a trained vector each, and none beyond the table. */
export const learned: PositionEncoding = {
  title: 'learned absolute',
  entries: ({ rows }) => rows,
  inputs: (length, { width }, table) => {
    const { values, rows } = required(table, width);
    if (length > rows)
      throw new RangeError(`no entry beyond position ${rows}; asked for ${length}`);
    return { added: values.slice(0, length * width) };
  },
};

/** No position encoding: the causal mask alone (Kazemnejad et al. 2023, arXiv:2305.19466). */
export const nope: PositionEncoding = {
  title: 'none (NoPE)',
  inputs: () => ({}),
};

const BASE = 10_000;

/**
 * Computes the fixed waves of Vaswani et al. 2017 (section 3.5, arXiv:1706.03762): column 2i is sin
 * and column 2i + 1 is cos of position / 10000^(2i / width).
 *
 * @returns (length, width)
 */
export function sinusoidalTable(length: number, width: number): Float32Array {
  const table = new Float32Array(length * width);
  for (let i = 0; i < width; i += 2) {
    const frequency = Math.pow(BASE, -i / width);
    for (let t = 0; t < length; t++) {
      table[t * width + i] = Math.sin(t * frequency);
      table[t * width + i + 1] = Math.cos(t * frequency);
    }
  }
  return table;
}

/** Sinusoidal absolute positions. */
export const sinusoidal: PositionEncoding = {
  title: 'sinusoidal',
  inputs: (length, { width }) => ({ added: sinusoidalTable(length, width) }),
};

/** From this distance on, all share the last bucket (the default of transformers' T5Config). */
const T5_MAX_DISTANCE = 128;

/**
 * Returns the bucket of a distance. In the first half, each bucket holds one distance; the others
 * grow logarithmically. It matches transformers' `T5Attention._relative_position_bucket` with
 * `bidirectional=False` (Raffel et al. 2020, section 2.1, arXiv:1910.10683).
 *
 * @param distance tokens back, >= 0
 */
export function t5Bucket(distance: number, buckets: number, maxDistance: number): number {
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return distance;
  const share = Math.log(distance / exact) / Math.log(maxDistance / exact);
  return Math.min(buckets - 1, exact + Math.floor(share * (buckets - exact)));
}

/** T5: each bucket and head has a trained bias, (buckets, heads), which all layers share. */
export const t5: PositionEncoding = {
  title: 'learned relative (T5)',
  inputs: (length, { heads }, table) => {
    const { values, rows } = required(table, heads);
    const bias = new Float32Array(heads * length);
    for (let d = 0; d < length; d++) {
      const bucket = t5Bucket(d, rows, T5_MAX_DISTANCE);
      for (let h = 0; h < heads; h++) bias[h * length + d] = values[bucket * heads + h]!;
    }
    return { bias };
  },
};

export const ENCODING_NAMES = ['nope', 'sinusoidal', 'learned', 't5', 'alibi'] as const;
export type EncodingName = (typeof ENCODING_NAMES)[number];

/** Every position encoding that has a twin, in the order of reports. A new one is a line here. */
export const ENCODINGS: Readonly<Record<EncodingName, PositionEncoding>> = Object.freeze({
  nope,
  sinusoidal,
  learned,
  t5,
  alibi,
});

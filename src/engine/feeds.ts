import { causalMask, PlaceBias } from './mask.js';
import type { Batch, RotaryInputs, Runtime } from './types.js';

export type Feeds = Record<string, InstanceType<Runtime['Tensor']>>;

/** What a graph takes beside tokens, positions, rotary tables and what is scored. */
export interface Mask {
  /** The batch as the graph wants it; default: as it is. */
  readonly fit?: (batch: Batch) => Batch;
  readonly feeds: (runtime: Runtime, batch: Batch) => Feeds;
}

function indices({ Tensor }: Runtime, length: number): InstanceType<Runtime['Tensor']> {
  return new Tensor(
    'int64',
    BigInt64Array.from({ length }, (_, i) => BigInt(i)),
    [length],
  );
}

/**
 * Queries that decoder.onnx takes at a time, at most: small chunks waste less work on keys that are
 * masked (bench/attention.py), but each copies the keys before it, which counts in long contexts.
 */
const largestChunk = (length: number): number => (length <= 2560 ? 64 : 256);

/** The fewest chunks that a length needs, as even as can be. */
function chunksOf(length: number): { readonly chunk: number; readonly filled: number } {
  const count = Math.ceil(length / largestChunk(length));
  const chunk = Math.ceil(length / count);
  return { chunk, filled: chunk * count };
}

/** Fills contexts up to whole chunks. What stands behind a row does not reach it: scores stay as they are. */
function wholeChunks(b: Batch): Batch {
  const { filled } = chunksOf(b.length);
  if (filled === b.length) return b;
  const fill = (data: BigInt64Array): BigInt64Array => {
    const out = new BigInt64Array(b.batch * filled);
    for (let i = 0; i < b.batch; i++)
      out.set(data.subarray(i * b.length, (i + 1) * b.length), i * filled);
    return out;
  };
  const [tokens, positions] = [fill(b.tokens), fill(b.positions)];
  return { ...b, length: filled, tokens, positions };
}

/**
 * RotaryEmbedding wants no fewer rows than what it rotates at once, whether positions ask for them or
 * not: the tokens, and the scored rows, which are more where lengths lie so close that a row is
 * scored for two of them.
 */
function enoughRows(b: Batch): Batch {
  return { ...b, rotary: withRows(b.rotary, Math.max(b.length, b.score)) };
}

function withRows(rotary: RotaryInputs, least: number): RotaryInputs {
  if (rotary.rows >= least) return rotary;
  const longer = (table: Float32Array): Float32Array => {
    const out = new Float32Array(least * rotary.pairs);
    out.set(table);
    return out;
  };
  const { pairs, qCos, qSin, kCos, kSin } = rotary;
  const [q, s] = [longer(qCos), longer(qSin)];
  const keys = kCos === qCos ? { kCos: q, kSin: s } : { kCos: longer(kCos), kSin: longer(kSin) };
  return { rows: least, pairs, qCos: q, qSin: s, ...keys };
}

/** decoder.onnx */
export const chunkedMask: Mask = {
  fit: (batch) => enoughRows(wholeChunks(batch)),
  feeds: (runtime, { length }) => {
    const { chunk } = chunksOf(length);
    return {
      indices: indices(runtime, length),
      block: new runtime.Tensor('float32', causalMask(chunk), [chunk, chunk]),
    };
  },
};

/** decoder-portable.onnx */
export const portableMask: Mask = {
  fit: enoughRows,
  feeds: (runtime, { length }) => ({
    indices: indices(runtime, length),
    mask: new runtime.Tensor('float32', causalMask(length), [length, length]),
  }),
};

/** encodings.onnx */
export function placedMask({ width, heads }: { width: number; heads: number }): Mask {
  const bias = new PlaceBias(heads);
  return {
    feeds: ({ Tensor }, { length, place }) => ({
      added: new Tensor('float32', place?.added ?? new Float32Array(length * width), [
        length,
        width,
      ]),
      bias: new Tensor('float32', bias.of(length, place?.bias), [heads, length, length]),
    }),
  };
}

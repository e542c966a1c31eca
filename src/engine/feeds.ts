import { causalMask, PlaceBias } from './mask.js';
import type { Batch, Runtime } from './types.js';

export type Feeds = Record<string, InstanceType<Runtime['Tensor']>>;

/** What a graph takes beside tokens, positions, rotary tables and what is scored. */
export type MaskFeeds = (runtime: Runtime, batch: Batch) => Feeds;

function indices({ Tensor }: Runtime, length: number): InstanceType<Runtime['Tensor']> {
  return new Tensor(
    'int64',
    BigInt64Array.from({ length }, (_, i) => BigInt(i)),
    [length],
  );
}

/** decoder.onnx: causal by itself. */
export const fusedMask: MaskFeeds = (runtime, { batch, length }) => ({
  indices: indices(runtime, length),
  last_key: new runtime.Tensor('int32', new Int32Array(batch).fill(length - 1), [batch]),
  total_keys: new runtime.Tensor('int32', Int32Array.of(length), []),
});

/** decoder-portable.onnx */
export const portableMask: MaskFeeds = (runtime, { length }) => ({
  indices: indices(runtime, length),
  mask: new runtime.Tensor('float32', causalMask(length), [length, length]),
});

/** encodings.onnx */
export function placedMask({ width, heads }: { width: number; heads: number }): MaskFeeds {
  const bias = new PlaceBias(heads);
  return ({ Tensor }, { length, place }) => ({
    added: new Tensor('float32', place?.added ?? new Float32Array(length * width), [length, width]),
    bias: new Tensor('float32', bias.of(length, place?.bias), [heads, length, length]),
  });
}

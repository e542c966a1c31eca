/** Limits on numbers and structure that come from an untrusted file, each with its reason. */
export const BOUNDS = Object.freeze({
  /** Configs are a few kilobytes; DeciLM's longest is below 200 kB. More is another file. */
  textLength: 8 * 1024 * 1024,
  /** Published configs nest 6 deep; recursion over a deeper value must not end the process. */
  depth: 64,
  /** A table has one entry per pair: 65536 dimensions are 512 times the usual head. */
  headDim: 65_536,
  /** Wider than any model by a factor of 1000; keeps products exact in a double. */
  width: 2 ** 24,
  heads: 65_536,
  /** One list entry per layer is built from this number. */
  layers: 10_000,
  /** 2^40 tokens; positions and products with frequencies stay exact in a double. */
  positions: 2 ** 40,
  /** Largest finite float32: transformers computes the power in float32. */
  theta: 3.4028234663852886e38,
  /** Extension beyond a million-fold leaves no frequency in float32's useful range. */
  factor: 1e6,
  /** Attention scalings and temperatures; beyond, the softmax saturates in any precision. */
  scale: 1e4,
});

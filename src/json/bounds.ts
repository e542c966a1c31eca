import { RopeEvalError } from '../errors.js';

/** Limits on numbers and structure that come from an untrusted file, each with its reason. */
export const BOUNDS = Object.freeze({
  /** Configs are a few kilobytes; DeciLM's longest is below 200 kB. More is another file. */
  configLength: 1024 * 1024,
  /** Saved reports, results and dumps, which grow with candidates and lengths. */
  textLength: 8 * 1024 * 1024,
  /** Objects and lists in one file; the longest saved report has a tenth of it. */
  containers: 100_000,
  /** Published configs nest 6 deep; recursion over a deeper value must not end the process. */
  depth: 64,
  /** Four times the widest published head (512); every table and plot costs time by the pair. */
  headDim: 2048,
  /** Wider than any model by a factor of 1000; keeps products exact in a double. */
  width: 2 ** 24,
  heads: 65_536,
  /** Eight times the deepest published model (126); one list entry per layer is built. */
  layers: 1024,
  /** Published models have up to four types of layer; each different one costs a table. */
  layerTypes: 16,
  /** 2^40 tokens; positions and products with frequencies stay exact in a double. */
  positions: 2 ** 40,
  /** Largest finite float32: transformers computes the power in float32. */
  theta: 3.4028234663852886e38,
  /** Extension beyond a million-fold leaves no frequency in float32's useful range. */
  factor: 1e6,
  /** Attention scalings and temperatures; beyond, the softmax saturates in any precision. */
  scale: 1e4,
});

/** What is wrong with a config, in the words of machine-readable output. */
export type ConfigErrorKind =
  | 'invalid_json'
  | 'too_deep'
  | 'too_large'
  | 'wrong_type'
  | 'invalid_value'
  | 'out_of_range'
  | 'missing_field'
  | 'wrong_length'
  | 'odd_rotary_dim'
  | 'not_divisible'
  | 'unknown_rope_type'
  | 'unknown_model_type'
  | 'unsupported_for_model'
  | 'not_rope';

/** Throws the error of a config: exit code 2, with the path and what would be right. */
export function fail(kind: ConfigErrorKind, path: string, problem: string, hint = ''): never {
  throw new RopeEvalError(kind, { path, problem, hint });
}

/** A found value for a message: short, and never more than one line. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

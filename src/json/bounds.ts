import { RopeEvalError } from '../errors.js';

/** Limits on numbers and structure from an untrusted file, each with its reason. */
export const BOUNDS = Object.freeze({
  /**
   * Configs are a few kilobytes, and DeciLM's, the longest, is below 200 kB. A larger file is not a
   * config.
   */
  configLength: 1024 * 1024,
  /** Saved reports, results and dumps, which grow with candidates and lengths. */
  textLength: 8 * 1024 * 1024,
  /** Objects and lists in one file. The longest saved report has a tenth of this. */
  containers: 100_000,
  /**
   * Published configs nest 6 levels deep. Recursion over a deeper value could overflow the stack.
   */
  depth: 64,
  /** Four times the widest published head (512). Every table and plot costs time for each pair. */
  headDim: 2048,
  /** A thousand times the width of any model, and products stay exact in a double. */
  width: 2 ** 24,
  heads: 65_536,
  /** Eight times the deepest published model (126). Lists with one entry per layer are built. */
  layers: 1024,
  /** Published models have up to four layer types. Each of them costs a table. */
  layerTypes: 16,
  /** 2^40 tokens: positions and their products with frequencies stay exact in a double. */
  positions: 2 ** 40,
  /** The largest finite float32, because transformers computes the power in float32. */
  theta: 3.4028234663852886e38,
  /** An extension beyond a million-fold leaves no frequency in float32's useful range. */
  factor: 1e6,
  /**
   * For attention scalings and temperatures. Beyond this, the softmax saturates in any precision.
   */
  scale: 1e4,
});

/** The kinds of error in a config, by their names in machine-readable output. */
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

/**
 * Throws an error about a config.
 *
 * @param path the key at fault, e.g. `rope_scaling.factor`; '' for the whole file
 * @throws RopeEvalError always; exit code 2 for every kind
 */
export function fail(kind: ConfigErrorKind, path: string, problem: string, hint = ''): never {
  throw new RopeEvalError(kind, { path, problem, hint });
}

/** Renders a value for a message: short and on one line. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

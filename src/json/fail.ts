import { RopeEvalError } from '../errors.js';

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

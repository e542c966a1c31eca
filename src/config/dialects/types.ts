import type { Source } from '../source.js';
import type { ModelGeometry, NotRope } from '../types.js';

/** One family of configs that are read alike. */
export interface Dialect {
  /** Short name, as in docs/dialects.md. */
  readonly name: string;
  /** `model_type` values that belong to it. */
  readonly modelTypes: readonly string[];
  readonly read: (source: Source) => ModelGeometry | NotRope;
}

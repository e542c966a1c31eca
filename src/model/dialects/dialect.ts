import type { Source } from '../source.js';
import type { ModelGeometry, NotRope } from '../types.js';

/** One family of configs that are read alike. */
export interface Dialect {
  /** Short name, as in docs/dialects.md. */
  readonly name: string;
  /** `model_type` values that belong to it. */
  readonly modelTypes: readonly string[];
  /**
   * Where a scaling can be written: into a block for each layer type, or nowhere (`fixed`: the
   * class has one table). Left out: into one block for all layers.
   */
  readonly writes?: 'per-layer' | 'fixed';
  /** Whether a scaling can only stand in the block of a layer type, in no flat `rope_scaling`. */
  readonly nestedOnly?: true;
  /** Key of theta outside the block, where it is not `rope_theta`. */
  readonly thetaKey?: string;
  readonly read: (source: Source) => ModelGeometry | NotRope;
}

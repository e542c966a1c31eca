import type { RopeTable } from '../rope/index.js';
import type { EngineDump } from './engine-dump.js';

export interface DiffOptions {
  /** Last position that matters, tokens. */
  readonly upTo: number;
  /**
   * Radians for `inv_freq`; for cosines and sines a difference of value, which is at most the
   * difference of the angle times the attention scaling.
   */
  readonly tolerance?: number;
  /** The table without the scaling: says whether the engine ignored it. */
  readonly unscaled?: RopeTable;
  /** Position of the first row of `cos`, `sin` and `cos_sin_cache`; default 0. */
  readonly firstPosition?: number;
}

/** Room for float32 rounding of angles and for bfloat16 rounding of a table's values. */
export const DIFF_TOLERANCE = 0.02;

export interface FingerprintDiff {
  readonly key: EngineDump['key'];
  /** No difference above the tolerance up to `upTo`, or in the rows given. */
  readonly same: boolean;
  readonly tolerance: number;
  readonly upTo: number;
  /** Numbers compared. */
  readonly compared: number;
  /** First position at which the angles part by more than the tolerance. */
  readonly partsFrom: number | null;
  /** The largest difference. For `inv_freq` relative to the expected frequency, else absolute. */
  readonly worst: {
    readonly pair: number;
    /** null for `inv_freq`, which holds for every position. */
    readonly position: number | null;
    readonly expected: number;
    readonly found: number;
    readonly difference: number;
  };
  /** How the rows of cosines and sines were read; null for `inv_freq`. */
  readonly arrangement: Arrangement | null;
  /** Attention scaling as the dump shows it (cosine at position 0); null where it cannot. */
  readonly attentionScaling: { readonly expected: number; readonly found: number } | null;
  /** A simple explanation that fits every number, where the tables differ or nearly do. */
  readonly looksLike: 'unscaled' | 'bfloat16 frequencies' | 'float16 frequencies' | null;
}

/** One value a pair; each pair's value twice, as halves or neighbours; cosines and then sines. */
export type Arrangement = 'pairs' | 'halves' | 'neighbours' | 'cosines then sines';

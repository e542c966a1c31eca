/** Rope types that the registry can compute. `by-parts` is `yarn` with attention factor 1. */
export type RopeType =
  'default' | 'linear' | 'ntk' | 'dynamic' | 'yarn' | 'llama3' | 'longrope' | 'proportional';

interface RopeBase {
  /** Base of the geometric series, > 1. */
  readonly theta: number;
  /** Rotated dimensions of a head; even. */
  readonly rotaryDim: number;
  /**
   * Denominator of the exponent, `theta^(-2i / exponentDim)`, where it is not rotaryDim:
   * an odd partial dimension (25 of 100) has ceil(25 / 2) pairs but divides by 25.
   */
  readonly exponentDim?: number;
}

/** Everything a rotary table depends on, as plain data. Lengths in tokens. */
export type RopeSpec = RopeBase &
  (
    | { readonly type: 'default' }
    | { readonly type: 'linear'; readonly factor: number }
    /** Static NTK-aware: theta is replaced by theta * alpha^(d / (d - 2)). */
    | { readonly type: 'ntk'; readonly alpha: number }
    /** NTK-aware, alpha recomputed from the sequence length once it exceeds maxPositions. */
    | { readonly type: 'dynamic'; readonly factor: number; readonly maxPositions: number }
    | {
        readonly type: 'yarn';
        readonly factor: number;
        readonly originalMaxPositions: number;
        readonly betaFast: number;
        readonly betaSlow: number;
        readonly truncate: boolean;
        readonly mscale?: number;
        readonly mscaleAllDim?: number;
        readonly attentionFactor?: number;
      }
    | {
        readonly type: 'llama3';
        readonly factor: number;
        readonly lowFreqFactor: number;
        readonly highFreqFactor: number;
        readonly originalMaxPositions: number;
      }
    | {
        readonly type: 'longrope';
        /** One divisor per pair, length rotaryDim / 2; used up to originalMaxPositions. */
        readonly shortFactor: readonly number[];
        /** Used above originalMaxPositions. */
        readonly longFactor: readonly number[];
        readonly originalMaxPositions: number;
        /** Extension, for the attention scaling only. */
        readonly factor: number;
        readonly attentionFactor?: number;
        /** Phi-MoE gives the attention scaling of each range itself. */
        readonly shortMscale?: number;
        readonly longMscale?: number;
      }
    /** Gemma 4: a leading share of the pairs turns, the tail stands still (frequency 0). */
    | {
        readonly type: 'proportional';
        readonly partialRotaryFactor: number;
        readonly factor: number;
      }
  );

/** One member of the union. */
export type RopeSpecOf<T extends RopeType> = Extract<RopeSpec, { readonly type: T }>;

export interface RopeTable {
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: Float64Array;
  /** Multiplier on cos and sin (transformers: `attention_scaling`). */
  readonly attentionScaling: number;
}

/** A rope type: its table, and whether the table changes with the sequence length. */
export interface RopeKind<T extends RopeType> {
  /** `sequenceLength` undefined: the table as transformers builds it at construction. */
  readonly compute: (spec: RopeSpecOf<T>, sequenceLength: number | undefined) => RopeTable;
  readonly lengthDependent: boolean;
  /** Longest length, tokens, before the table jumps to another one; absent: it never jumps. */
  readonly switchLength?: (spec: RopeSpecOf<T>) => number;
}

/**
 * Frequencies of plain RoPE: `theta^(-2i / d)` for pair i.
 *
 * @param theta base, > 1
 * @param rotaryDim rotated dimensions of a head, even
 * @param exponentDim denominator of the exponent; rotaryDim unless that was rounded up to even
 * @returns (rotaryDim / 2,) radians per token
 * @see Su et al. 2021, arXiv:2104.09864, section 3.2.2; transformers
 *   `LlamaRotaryEmbedding.compute_default_rope_parameters`
 */
export function baseFrequencies(
  theta: number,
  rotaryDim: number,
  exponentDim: number = rotaryDim,
): Float64Array {
  return Float64Array.from({ length: rotaryDim / 2 }, (_, pair) =>
    Math.pow(theta, (-2 * pair) / exponentDim),
  );
}

/**
 * The base of NTK-aware scaling: `theta * alpha^(d / (d - 2))`. The slowest pair is slowed by
 * alpha exactly, the fastest not at all.
 *
 * @param alpha extension, >= 1
 * @param dim rotated dimensions, > 2 (at 2 the exponent divides by zero)
 * @see bloc97, "NTK-Aware Scaled RoPE", 2023; transformers `_compute_dynamic_ntk_parameters`
 */
export function ntkTheta(theta: number, alpha: number, dim: number): number {
  return theta * Math.pow(alpha, dim / (dim - 2));
}

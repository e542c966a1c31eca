import type { Finding } from '../findings/index.js';
import type { UnknownRecord } from '../json/parse.js';
import type { RopeSpec } from '../rope/registry.js';
import type { Source } from './source.js';

/** How far a layer looks back. */
export type Span =
  | { readonly kind: 'global' }
  /** A sliding window or a chunk, in tokens. Such a layer never sees a longer distance. */
  | { readonly kind: 'sliding' | 'chunked'; readonly window: number };

/** Layers that share one rotary table. */
export interface LayerGroup {
  /** transformers' layer type: `full_attention`, `sliding_attention`, `chunked_attention`. */
  readonly layerType: string;
  readonly layers: readonly number[];
  readonly span: Span;
  /** The table as configured. */
  readonly rope: RopeSpec;
  /** The table without the scaling block: the config's base frequencies. */
  readonly unscaled: RopeSpec;
  /** false: a scaling in the config does not reach these layers (the sliding ones of Gemma 3). */
  readonly scalable?: boolean;
  /** The `partial_rotary_factor` in force, if it is not 1. */
  readonly partialRotaryFactor?: number;
  /** The head_dim of these layers (Gemma 4); default: that of `attention`. */
  readonly headDim?: number;
  readonly kvHeads?: number;
}

/**
 * Multiplies the query at position p by `1 + scale * ln(1 + floor((p + offset) / window))` (Llama
 * 4, Ministral 3). It is not part of RoPE, and the probe models are not asked about it.
 */
export interface QueryScaling {
  readonly scale: number;
  /** Tokens. */
  readonly window: number;
  readonly offset: 0 | 1;
  readonly layers: 'all' | 'without-rope';
}

/** The shape of the attention, from which the costs are computed. */
export interface AttentionShape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly hiddenSize: number;
  readonly latent?: LatentShape;
}

/** Multi-head latent attention: one cache entry holds `rank + ropeDim` numbers for all heads. */
export interface LatentShape {
  readonly rank: number;
  /** Widths per head: of the parts of a query or key with and without positions, and of a value. */
  readonly ropeDim: number;
  readonly nopeDim: number;
  readonly valueDim: number;
}

/** A model as its config describes it: which layers rotate, how, and what looks wrong. */
export interface ModelGeometry {
  readonly modelType: string;
  readonly architecture: string | undefined;
  /** How the dimensions of a pair lie in a head: `half` (LLaMA) or `interleaved` (GPT-J). */
  readonly layout: 'half' | 'interleaved';
  /** `max_position_embeddings`, or the family's own key for it. */
  readonly maxPositions: number;
  /** `original_max_position_embeddings`, if a block or the top level gives it. */
  readonly originalMaxPositions: number | undefined;
  /** Tokens that the weights were trained on, if a key gives them (`max_trained_positions`). */
  readonly trainedPositions?: number;
  /** The factor by which queries grow with their position. */
  readonly queryScaling?: QueryScaling;
  /** Layers that rotate, one entry per rotary table; the global group first. */
  readonly groups: readonly LayerGroup[];
  /** Indices of attention layers without RoPE (NoPE). */
  readonly layersWithoutRope: readonly number[];
  /** Indices of layers without attention: linear attention, state space, convolution. */
  readonly layersWithoutAttention?: readonly number[];
  /** Set for encoders: tokens attend in both directions, and no cache is kept. */
  readonly bidirectional?: boolean;
  /**
   * The order in which engines store the pairs, if it is not by frequency: entry i is the pair
   * stored at place i. Ernie 4.5 VL sorts them by image axis.
   */
  readonly pairOrder?: readonly number[];
  /** The multiplier on q·k before the softmax, with and without the scaling block. */
  readonly softmaxScale: number;
  readonly unscaledSoftmaxScale: number;
  /** DeepSeek-V3: a YaRN block multiplies the softmax scale by mscale(mscale_all_dim) squared. */
  readonly softmaxFollowsYarn?: boolean;
  readonly attention: AttentionShape;
  /** The parsed config and the path of the part that was read; candidates as JSON need both. */
  readonly config?: UnknownRecord;
  readonly partPath?: string;
  readonly findings: readonly Finding[];
}

/** A model that does not use RoPE. A finding names what it uses. */
export interface NotRope {
  readonly modelType: string;
  readonly architecture?: string | undefined;
  readonly config?: UnknownRecord;
  readonly partPath?: string;
  readonly encoding: 'alibi' | 'learned' | 'relative' | 'sinusoidal' | 'state-space' | 'none';
  readonly findings: readonly Finding[];
}

/** Whether the weights were trained with the base frequencies or with the config's scaling. */
export const REFERENCE_KINDS = ['unscaled', 'configured'] as const;
export type ReferenceKind = (typeof REFERENCE_KINDS)[number];

/** The frequencies that the weights were trained with, and the window that they were trained on. */
export interface Reference {
  readonly kind: ReferenceKind;
  /** Tokens. */
  readonly trainedWindow: number;
  /** The reason: a key of the evidence table, or `option` if the user chose it. */
  readonly evidence: string;
  /** The other defensible reading, if there is one. */
  readonly alternative?: {
    readonly kind: ReferenceKind;
    readonly trainedWindow: number;
  };
}

/**
 * Returns the share of each head that rotates, 0 to 1.
 *
 * @param invFreq (pairs,) radians per token of the group's table; 0: the pair stands still
 */
export function rotaryShare(
  model: ModelGeometry,
  group: LayerGroup,
  invFreq: Float64Array,
): number {
  const { latent, headDim } = model.attention;
  const head = latent ? latent.ropeDim + latent.nopeDim : (group.headDim ?? headDim);
  const turning = invFreq.filter((frequency) => frequency > 0).length;
  return Math.min(1, (2 * turning) / head);
}

/** A family of configs that are read alike. */
export interface Dialect {
  /** Short name, as in docs/dialects.md. */
  readonly name: string;
  /** `model_type` values that belong to it. */
  readonly modelTypes: readonly string[];
  /**
   * Where a scaling can be written: into one block per layer type (`nested`: there alone, and not
   * into a flat `rope_scaling`), or nowhere (`fixed`: the class has a single table). Absent: into
   * one block for all layers.
   */
  readonly writes?: 'per-layer' | 'nested' | 'fixed';
  /** The key of theta outside the block, if it is not `rope_theta`. */
  readonly thetaKey?: string;
  readonly read: (source: Source) => ModelGeometry | NotRope;
}

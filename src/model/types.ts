import type { Finding } from '../findings/index.js';
import type { UnknownRecord } from '../json/parse.js';
import type { RopeSpec } from '../rope/registry.js';
import type { Source } from './source.js';

/** How far a layer looks back. */
export type Span =
  | { readonly kind: 'global' }
  /** Sliding window or chunk, in tokens: longer distances never occur in such a layer. */
  | { readonly kind: 'sliding' | 'chunked'; readonly window: number };

/** Layers that share one rotary table. */
export interface LayerGroup {
  /** transformers' layer type: `full_attention`, `sliding_attention`, `chunked_attention`. */
  readonly layerType: string;
  /** Indices of the layers. */
  readonly layers: readonly number[];
  readonly span: Span;
  /** As the config stands. */
  readonly rope: RopeSpec;
  /** The same layers without the scaling block: the config's base frequencies. */
  readonly unscaled: RopeSpec;
  /**
   * false: a scaling written into this model's config does not reach these layers (Gemma 3's and
   * Olmo 3's sliding ones). Default true.
   */
  readonly scalable?: boolean;
  /** `partial_rotary_factor` in force, where it is not 1: of the block, the top level or the class. */
  readonly partialRotaryFactor?: number;
  /** Of these layers, where layer types differ (Gemma 4); default that of `attention`. */
  readonly headDim?: number;
  readonly kvHeads?: number;
}

/**
 * Multiplies the query at position p by `1 + scale * ln(1 + floor((p + offset) / window))` (Llama 4,
 * Ministral 3). No part of RoPE, and no part of what the probe models are asked.
 */
export interface QueryScaling {
  readonly scale: number;
  /** Tokens. */
  readonly window: number;
  readonly offset: 0 | 1;
  readonly layers: 'all' | 'without-rope';
}

/** What `--candidate` may replace, what costs are computed from. */
export interface AttentionShape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly hiddenSize: number;
  readonly latent?: LatentShape;
}

/** Multi-head latent attention: a cache entry holds `rank + ropeDim` numbers for all heads. */
export interface LatentShape {
  readonly rank: number;
  /** Parts of a query and key with and without positions, and width of a value, per head. */
  readonly ropeDim: number;
  readonly nopeDim: number;
  readonly valueDim: number;
}

export interface ModelGeometry {
  readonly modelType: string;
  readonly architecture: string | undefined;
  /** `half` (LLaMA) or `interleaved` (GPT-J): how pairs lie in a head. */
  readonly layout: 'half' | 'interleaved';
  /** `max_position_embeddings`, or the family's own key for it. */
  readonly maxPositions: number;
  /** `original_max_position_embeddings` where a block or the top level gives it. */
  readonly originalMaxPositions: number | undefined;
  /** Tokens that the weights were trained on, where a key says so (`max_trained_positions`). */
  readonly trainedPositions?: number;
  /** Queries that are multiplied by a factor which grows with their position. */
  readonly queryScaling?: QueryScaling;
  /** Layers that rotate, one entry per rotary table; the global group first. */
  readonly groups: readonly LayerGroup[];
  /** Indices of attention layers without RoPE (NoPE). */
  readonly layersWithoutRope: readonly number[];
  /** Indices of layers that do not attend at all: linear attention, state space, convolution. */
  readonly layersWithoutAttention?: readonly number[];
  /** Encoders: tokens see both sides, nothing is decoded and no cache is kept. */
  readonly bidirectional?: boolean;
  /**
   * Order in which engines hold the pairs, where they are not sorted by frequency: entry i names
   * the pair that stands at place i. Ernie 4.5 VL sorts them by image axis.
   */
  readonly pairOrder?: readonly number[];
  /** Multiplier on q·k before the softmax, and what it would be without the scaling block. */
  readonly softmaxScale: number;
  readonly unscaledSoftmaxScale: number;
  /** DeepSeek-V3: a YaRN block multiplies the softmax scale by mscale(mscale_all_dim) squared. */
  readonly softmaxFollowsYarn?: boolean;
  readonly attention: AttentionShape;
  /** The config as parsed, and the path of the part that was read; for literal candidates. */
  readonly config?: UnknownRecord;
  readonly partPath?: string;
  readonly findings: readonly Finding[];
}

/** A model that does not use RoPE: a finding names what it uses. */
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

/** The frequencies the weights were trained with, and the window they were trained on. */
export interface Reference {
  readonly kind: ReferenceKind;
  /** Tokens. */
  readonly trainedWindow: number;
  /** Why: key of the row in the evidence table, or `option` when the user said so. */
  readonly evidence: string;
  /** The other defensible reading, where there is one. */
  readonly alternative?: {
    readonly kind: ReferenceKind;
    readonly trainedWindow: number;
  };
}

/**
 * Share of each head that rotates, 0 to 1.
 *
 * @param invFreq (pairs,) radians per token of the group's own table; 0: the pair stands still
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

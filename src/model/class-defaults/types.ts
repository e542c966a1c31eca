/** A rope block that a class supplies for one layer type; null = layers of this type do not rotate. */
export interface LayerRopeDefault {
  readonly theta: number;
  readonly type?: string;
  readonly partial?: number;
}

/** How layer types repeat where a config does not list them. */
export interface LayerMix {
  /** One full-attention layer in so many. */
  readonly every: number;
  /** Whether it is the first of each run rather than the last. */
  readonly first?: boolean;
  /** Type of the others. */
  readonly other: string;
  /** Key of `every` in a config, where the class reads one. */
  readonly everyKey?: string;
}

/** Parts of a latent head, where the class differs from DeepSeek's (rank 512, 128 and 128 wide). */
export interface LatentDefault {
  readonly rank?: number;
  readonly nope: number;
  readonly value?: number;
}

/** The multiplier on q·k of a class where it is not 1 / sqrt(head_dim). */
export interface SoftmaxDefault {
  /** Whatever a config says. */
  readonly fixed?: number;
  /** Of a config without `attention_multiplier`. */
  readonly multiplier?: number;
  /** Of a config without `query_pre_attn_scalar`. */
  readonly underRoot?: number;
}

/** What a transformers config class takes where a config has no key; a field left out has none. */
export interface ClassDefaults {
  readonly hidden?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly layers?: number;
  /** Only where the class has a number of its own; otherwise hidden / heads. */
  readonly headDim?: number;
  readonly maxPositions?: number;
  /** Default 10000. */
  readonly theta?: number;
  readonly partial?: number;
  /** Whether the unscaled table follows `partial_rotary_factor`; scaled ones always do. */
  readonly usesPartial?: boolean;
  /** How pairs lie in a head; default `half`. */
  readonly layout?: 'interleaved';
  readonly mix?: LayerMix;
  readonly softmax?: SoftmaxDefault;
  readonly latent?: LatentDefault;
  /** Layer types that repeat, where no single interval describes them. */
  readonly pattern?: readonly string[];
  /** Whether the first or last layer is full attention whatever the pattern says. */
  readonly firstIsFull?: boolean;
  readonly lastIsFull?: boolean;
  /** Type of every layer, where it is not full attention. */
  readonly allLayers?: string;
  /** Sliding window in tokens where the config has no `sliding_window` key. */
  readonly window?: number;
  /** Whether `sliding_window` counts the tokens on one side, without the token itself. */
  readonly windowIsRadius?: boolean;
  readonly perLayer?: Readonly<Record<string, LayerRopeDefault | null>>;
  /** The scaling block of a config without one. */
  readonly block?: Readonly<Record<string, unknown>>;
}

/** What Granite's classes share (transformers `GraniteConfig`, `GraniteMoeConfig` and relatives). */
export const GRANITE: ClassDefaults = Object.freeze({
  softmax: { multiplier: 1 },
  hidden: 4096,
  heads: 32,
  kvHeads: 32,
  layers: 32,
  maxPositions: 2048,
});

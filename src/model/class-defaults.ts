import { readFileSync } from 'node:fs';

/** A rope block that a class supplies for one layer type. */
export interface LayerRopeDefault {
  readonly theta: number;
  readonly type?: string;
  readonly partial?: number;
}

/** How layer types repeat if a config does not list them. */
export interface LayerMix {
  /** One layer in this many has full attention. */
  readonly every: number;
  /** Whether the full-attention layer comes first in each run instead of last. */
  readonly first?: boolean;
  /** The type of the other layers. */
  readonly other: string;
  /** The key of `every` in a config, if the class reads one. */
  readonly everyKey?: string;
}

/**
 * The parts of a latent head, if the class differs from DeepSeek's (rank 512, 128 and 128 wide).
 */
export interface LatentDefault {
  readonly rank?: number;
  readonly nope: number;
  readonly value?: number;
}

/** A class's multiplier on q·k, if it is not 1 / sqrt(head_dim). */
export interface SoftmaxDefault {
  /** Applies whatever the config has. */
  readonly fixed?: number;
  /** Applies to a config without `attention_multiplier`. */
  readonly multiplier?: number;
  /** Replaces head_dim under the root in a config without `query_pre_attn_scalar`. */
  readonly underRoot?: number;
}

/**
 * What a transformers config class uses for keys that a config lacks. A field is absent if the
 * class has no default for it.
 */
export interface ClassDefaults {
  readonly hidden?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly layers?: number;
  /** Only if the class has its own number; otherwise it is hidden / heads. */
  readonly headDim?: number;
  readonly maxPositions?: number;
  /**
   * The default of `original_max_position_embeddings` outside the block, which takes precedence
   * over the value inside (Phi-3).
   */
  readonly original?: number;
  /** Default 10000. */
  readonly theta?: number;
  readonly partial?: number;
  /** Whether the unscaled table follows `partial_rotary_factor`. Scaled tables always do. */
  readonly usesPartial?: boolean;
  /** How the dimensions of a pair lie in a head; default `half`. */
  readonly layout?: 'interleaved';
  readonly mix?: LayerMix;
  readonly softmax?: SoftmaxDefault;
  readonly latent?: LatentDefault;
  /** A repeating pattern of layer types, if a single interval cannot describe it. */
  readonly pattern?: readonly string[];
  /** Whether the first or last layer has full attention whatever the pattern gives. */
  readonly firstIsFull?: boolean;
  readonly lastIsFull?: boolean;
  /** The type of every layer, if it is not full attention. */
  readonly allLayers?: string;
  /** Whether layers attend to the keys that an indexer picks. */
  readonly indexed?: boolean;
  /** The sliding window in tokens of a config without a `sliding_window` key. */
  readonly window?: number;
  /** Whether `sliding_window` counts the tokens on one side, excluding the token itself. */
  readonly windowIsRadius?: boolean;
  /** By layer type; null = layers of this type do not rotate. */
  readonly perLayer?: Readonly<Record<string, LayerRopeDefault | null>>;
  /** The scaling block, without its theta, of a config that has none. */
  readonly block?: Readonly<Record<string, unknown>>;
}

/** Where the class of a composite keeps its language model, and which type that has by default. */
export interface Composite {
  readonly key: string;
  readonly type: string;
  /** Other keys under which the class also accepts its language model. */
  readonly also?: readonly string[];
  /** Whether the class reads the language model's keys at the top level if that part is missing. */
  readonly flat?: boolean;
}

/**
 * Reads a generated table. tools/transformers/generate.py makes these files from the config classes
 * of an installed transformers. The files are ours and trusted, but the names looked up in them are
 * not: callers turn them into Maps, so that a model type called `constructor` is not found.
 */
export function readTable(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./data/${name}.json`, import.meta.url), 'utf8'));
}

interface GeneratedTable<T> {
  readonly transformers: string;
  readonly types: Readonly<Record<string, T>>;
}

const defaults = readTable('class-defaults') as GeneratedTable<ClassDefaults>;

/** The version of transformers that every table here was generated from. */
export const TRANSFORMERS_VERSION = defaults.transformers;

/** Class defaults by model type. */
export const CLASS_DEFAULTS: ReadonlyMap<string, ClassDefaults> = new Map(
  Object.entries(defaults.types),
);

/** Composites (multimodal or encoder-decoder models) by model type. */
export const COMPOSITES: ReadonlyMap<string, Composite> = new Map(
  Object.entries((readTable('composites') as GeneratedTable<Composite>).types),
);

/**
 * The keys that a class reads from a config, each with the class's default (null: none, or
 * computed).
 */
export type ClassFields = ReadonlyMap<string, unknown>;

/**
 * Returns the keys that the config class of a model type reads by name. The class keeps every other
 * key as an attribute but never uses it.
 *
 * @returns undefined for a model type that transformers does not have
 */
export function classFields(modelType: string): ClassFields | undefined {
  fields ??= loadFields();
  return fields.get(modelType);
}

let fields: ReadonlyMap<string, ClassFields> | undefined;

/**
 * Loads the table on first use: only the gate needs it, and it is five times the size of the
 * others.
 */
function loadFields(): ReadonlyMap<string, ClassFields> {
  const { types } = readTable('class-fields') as GeneratedTable<Record<string, unknown>>;
  return new Map(
    Object.entries(types).map(([type, known]) => [type, new Map(Object.entries(known))]),
  );
}

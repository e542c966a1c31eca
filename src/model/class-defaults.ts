import { readFileSync } from 'node:fs';

/** A rope block that a class supplies for one layer type. */
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
  /** Of `original_max_position_embeddings` outside the block, which beats the one inside (Phi-3). */
  readonly original?: number;
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
  /** Whether layers attend to the keys that an indexer picks. */
  readonly indexed?: boolean;
  /** Sliding window in tokens where the config has no `sliding_window` key. */
  readonly window?: number;
  /** Whether `sliding_window` counts the tokens on one side, without the token itself. */
  readonly windowIsRadius?: boolean;
  /** By layer type; null = layers of this type do not rotate. */
  readonly perLayer?: Readonly<Record<string, LayerRopeDefault | null>>;
  /** The scaling block of a config without one, without its theta. */
  readonly block?: Readonly<Record<string, unknown>>;
}

/** Where the class of a composite keeps its language model, and which one it takes by default. */
export interface Composite {
  readonly key: string;
  readonly type: string;
  /** Other keys that the class reads its language model from. */
  readonly also?: readonly string[];
  /** Whether the class reads the keys of its language model at the top where the part is missing. */
  readonly flat?: boolean;
}

/**
 * Made by tools/transformers/generate.py from the config classes of an installed transformers. The
 * files are our own and trusted, unlike everything that is looked up in them, hence Maps: a model
 * type called `constructor` must not be found.
 */
export function readTable(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./data/${name}.json`, import.meta.url), 'utf8'));
}

interface GeneratedTable<T> {
  readonly transformers: string;
  readonly types: Readonly<Record<string, T>>;
}

const defaults = readTable('class-defaults') as GeneratedTable<ClassDefaults>;

/** The version of transformers that every table here was made from. */
export const TRANSFORMERS_VERSION = defaults.transformers;

/** Class defaults by model type. */
export const CLASS_DEFAULTS: ReadonlyMap<string, ClassDefaults> = new Map(
  Object.entries(defaults.types),
);

/** Composites (multimodal, encoder-decoder) by model type. */
export const COMPOSITES: ReadonlyMap<string, Composite> = new Map(
  Object.entries((readTable('composites') as GeneratedTable<Composite>).types),
);

/** Keys that a class takes from a config, each with the class's default (null: none or computed). */
export type ClassFields = ReadonlyMap<string, unknown>;

/**
 * What the config class of a model type takes by name. Every other key is kept as an attribute that
 * the class itself never asks for.
 *
 * @returns undefined for a model type that transformers does not have
 */
export function classFields(modelType: string): ClassFields | undefined {
  fields ??= loadFields();
  return fields.get(modelType);
}

let fields: ReadonlyMap<string, ClassFields> | undefined;

/** Read on first use: the gate alone asks, and the table is five times the size of the others. */
function loadFields(): ReadonlyMap<string, ClassFields> {
  const { types } = readTable('class-fields') as GeneratedTable<Record<string, unknown>>;
  return new Map(
    Object.entries(types).map(([type, known]) => [type, new Map(Object.entries(known))]),
  );
}

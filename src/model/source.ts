import { readFileSync } from 'node:fs';
import { finding, type Finding } from '../findings/index.js';
import { type Fields, type NumberRule, POSITIVE } from '../json/fields.js';
import { BOUNDS, fail } from '../json/parse.js';
import { type Read, take } from '../rope/kind.js';

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

/** The parts of a latent head, if they are not DeepSeek's (rank 512, 128 and 128 wide). */
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

/** What a class of transformers uses for keys that a config lacks; absent: no default. */
export interface ClassDefaults {
  readonly hidden?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly layers?: number;
  /** Only if the class has its own number; otherwise it is hidden / heads. */
  readonly headDim?: number;
  readonly maxPositions?: number;
  /** `original_max_position_embeddings` outside the block, which beats the one inside (Phi-3). */
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

export const CLASS_DEFAULTS: ReadonlyMap<string, ClassDefaults> = new Map(
  Object.entries(defaults.types),
);

/** Composites (multimodal or encoder-decoder models) by model type. */
export const COMPOSITES: ReadonlyMap<string, Composite> = new Map(
  Object.entries((readTable('composites') as GeneratedTable<Composite>).types),
);

/** The keys that a class reads, each with its default (null: none, or computed). */
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

/** Loads on first use: only the gate needs this table, and it is the largest by far. */
function loadFields(): ReadonlyMap<string, ClassFields> {
  const { types } = readTable('class-fields') as GeneratedTable<Record<string, unknown>>;
  return new Map(
    Object.entries(types).map(([type, known]) => [type, new Map(Object.entries(known))]),
  );
}

/** One model's part of a config, as the dialects read it. */
export interface Source {
  readonly modelType: string;
  readonly architecture: string | undefined;
  readonly fields: Fields;
  /** The defaults of the config class; undefined for an unknown model type. */
  readonly defaults: ClassDefaults | undefined;
  /** Whether this is `text_config` or a similar part, in which class defaults are normal. */
  readonly nested: boolean;
}

/** The shape of the attention and the window, which are known before anything about RoPE. */
export interface Shape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly hiddenSize: number;
  /** Dimensions of a key or query, rotated or not. */
  readonly headDim: number;
  readonly maxPositions: number;
  readonly maxPositionsGiven: boolean;
}

/** A family's names for the usual keys. */
export interface ShapeKeys {
  readonly hidden: string;
  readonly heads: string;
  readonly kvHeads: string;
  readonly layers: string;
  readonly maxPositions: string;
  readonly headDim: string;
}

const USUAL_KEYS: ShapeKeys = Object.freeze({
  hidden: 'hidden_size',
  heads: 'num_attention_heads',
  kvHeads: 'num_key_value_heads',
  layers: 'num_hidden_layers',
  maxPositions: 'max_position_embeddings',
  headDim: 'head_dim',
});

function keysOf({ fields }: Source, { keys, alsoKeys = {} }: ShapeRules): ShapeKeys {
  const given = Object.entries(alsoKeys).filter(([, key]) => fields.given(key));
  return { ...USUAL_KEYS, ...keys, ...Object.fromEntries(given) };
}

/** How a family derives the shape of its attention. */
export interface ShapeRules {
  /** The family's names for usual keys. */
  readonly keys?: Partial<ShapeKeys>;
  /** Names that count where the config has them; otherwise the usual ones do. */
  readonly alsoKeys?: Partial<ShapeKeys>;
  /** The family's head_dim if no key gives it; default hidden / heads. */
  readonly derivedHeadDim?: (hidden: number, heads: number) => number;
  /** A head_dim that no key can change (latent attention: qk_rope_head_dim). */
  readonly fixedHeadDim?: (source: Source) => number | undefined;
  /** Head counts that are derived from keys other than the usual ones. */
  readonly fixedHeads?: number;
  readonly fixedKvHeads?: number;
  /** Whether hidden must be a multiple of heads even if head_dim is explicit (LLaMA). */
  readonly mustDivide?: boolean;
}

/**
 * Reads widths, heads, layers and the window.
 *
 * @throws RopeEvalError `missing_field` for a width or head count that a whole config lacks; a
 *   nested part takes the default of its class, which is reported
 */
export function readShape(source: Source, rules: ShapeRules = {}): Read<Shape> {
  const { fields, defaults } = source;
  const keys = keysOf(source, rules);
  const taken: Record<string, number> = {};
  const width = (key: string, rule: NumberRule, fallback: number | undefined): number => {
    const value = fields.integer(key, rule);
    if (value !== undefined) return value;
    if (!source.nested || fallback === undefined) {
      fail(
        'missing_field',
        fields.at(key),
        'is missing',
        'a config.json has a positive number here',
      );
    }
    taken[key] = fallback;
    return fallback;
  };
  const explicitHeadDim = readHeadDim(source, keys, rules);
  // With an explicit head_dim, the width does not affect RoPE, but the costs depend on it.
  const heads = rules.fixedHeads ?? width(keys.heads, POSITIVE.heads, defaults?.heads);
  const hiddenSize = width(keys.hidden, POSITIVE.width, defaults?.hidden);
  const kvHeads =
    rules.fixedKvHeads ??
    fields.nullableInteger(keys.kvHeads, POSITIVE.heads) ??
    (source.nested ? defaults?.kvHeads : undefined) ??
    heads;
  const derived = rules.derivedHeadDim?.(hiddenSize, heads);
  const divides = explicitHeadDim === undefined && derived === undefined;
  if (rules.mustDivide || divides) checkDivisible(source, keys, hiddenSize, heads);
  const headDim = explicitHeadDim ?? derived ?? hiddenSize / heads;
  const findings: Finding[] = [];
  const { maxPositions, given } = take(findings, readWindow(source, keys, taken));
  const layers = take(findings, readLayers(source, keys, taken));
  if (Object.keys(taken).length > 0) {
    findings.push(finding('nested_default', fields.path, { taken, model: source.modelType }));
  }
  return {
    value: {
      layers,
      heads,
      kvHeads,
      hiddenSize,
      headDim,
      maxPositions,
      maxPositionsGiven: given,
    },
    findings,
  };
}

function readHeadDim(source: Source, { headDim: key }: ShapeKeys, rules: ShapeRules) {
  const fixed = rules.fixedHeadDim?.(source);
  if (fixed !== undefined) return fixed;
  // An explicit null means that head_dim is derived, even if the class has its own number.
  if (source.fields.has(key)) return source.fields.nullableInteger(key, POSITIVE.headDim);
  return source.defaults?.headDim;
}

function checkDivisible(source: Source, keys: ShapeKeys, hidden: number, heads: number): void {
  if (hidden % heads === 0) return;
  fail(
    'not_divisible',
    source.fields.at(keys.heads),
    `${hidden} dimensions cannot be divided into ${heads} heads`,
    'give head_dim, or a number of heads that divides hidden_size',
  );
}

function readWindow(
  source: Source,
  keys: ShapeKeys,
  taken: Record<string, number>,
): Read<{ readonly maxPositions: number; readonly given: boolean }> {
  const { fields, defaults } = source;
  const key = keys.maxPositions;
  const value = fields.integer(key, POSITIVE.tokens);
  if (value !== undefined) return { value: { maxPositions: value, given: true }, findings: [] };
  const fallback = defaults?.maxPositions;
  if (fallback === undefined) fail('missing_field', fields.at(key), 'is missing');
  const window = { maxPositions: fallback, given: source.nested };
  if (source.nested) {
    taken[key] = fallback;
    return { value: window, findings: [] };
  }
  const args = { value: fallback, model: source.modelType };
  return { value: window, findings: [finding('missing_field', fields.at(key), args)] };
}

/** Reads the number of layers. No frequency depends on it, so a missing one is only a notice. */
function readLayers(source: Source, keys: ShapeKeys, taken: Record<string, number>): Read<number> {
  const { fields, defaults } = source;
  const value = fields.integer(keys.layers, POSITIVE.layers);
  if (value !== undefined) return { value, findings: [] };
  const listed = fields.nullableList('layer_types')?.length;
  const layers = listed ?? defaults?.layers ?? FALLBACK_LAYERS;
  const bounded = Math.min(layers, BOUNDS.layers);
  if (source.nested && defaults?.layers !== undefined) {
    taken[keys.layers] = layers;
    return { value: bounded, findings: [] };
  }
  const found = finding('layers_unknown', fields.at(keys.layers), { value: layers });
  return { value: bounded, findings: [found] };
}

/** The layers of LLaMA-7B. Only costs and layer lists use this number. */
const FALLBACK_LAYERS = 32;

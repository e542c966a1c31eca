import { finding, type Finding } from '../findings/index.js';
import { Fields, POSITIVE } from '../json/fields.js';
import { BOUNDS, fail, isRecord, show } from '../json/parse.js';
import { type Read, type RopeBlock, take } from '../rope/kind.js';
import { THETA_RULE } from '../rope/read.js';
import { type Source, TRANSFORMERS_VERSION } from './source.js';
import type { Span } from './types.js';

/** A key that lists the layers of one type. All other layers have the type `others`. */
interface IndexList {
  readonly key: string;
  readonly listed: string;
  readonly others: string;
}

/** From transformers `BambaConfig`, `Lfm2Config` and `MllamaTextConfig`, in this order. */
const INDEX_LISTS: readonly IndexList[] = Object.freeze([
  { key: 'attn_layer_indices', listed: 'full_attention', others: 'linear_attention' },
  { key: 'full_attn_idxs', listed: 'full_attention', others: 'conv' },
  { key: 'cross_attention_layers', listed: 'cross_attention', others: 'full_attention' },
]);

/**
 * Reads the type of each layer from a config that lists the indices of one type.
 *
 * @returns one entry per layer; undefined for a config without such a list
 * @throws RopeEvalError `wrong_type` for an entry that is not an index
 */
function indexedLayerTypes(fields: Fields, layers: number): readonly string[] | undefined {
  const list = INDEX_LISTS.find(({ key }) => fields.given(key));
  if (list === undefined) return undefined;
  const named = new Set(
    fields.nullableList(list.key)?.map((value, index) => {
      if (typeof value === 'number' && Number.isInteger(value)) {
        if (value >= 0 && value < BOUNDS.layers) return value;
      }
      fail(
        'wrong_type',
        fields.at(`${list.key}[${index}]`),
        `must be the index of a layer, found ${show(value)}`,
      );
    }),
  );
  return Array.from({ length: layers }, (_, layer) =>
    named.has(layer) ? list.listed : list.others,
  );
}

/**
 * Returns the type of each layer: from the config's list, else from the repeating pattern of its
 * class.
 *
 * @returns one entry per layer
 * @throws RopeEvalError `wrong_type` and `wrong_length` for a list that does not fit
 */
export function layerTypes(source: Source, layers: number): readonly string[] {
  const listed =
    source.fields.nullableList('layer_types') ?? source.fields.nullableList('layers_block_type');
  if (listed !== undefined) return checkList(source, listed, layers);
  const indexed = indexedLayerTypes(source.fields, layers);
  if (indexed !== undefined) return indexed;
  const { firstIsFull, lastIsFull } = source.defaults ?? {};
  const usual = repeatedType(source);
  return Array.from({ length: layers }, (_, layer) => {
    const isForced = (firstIsFull && layer === 0) || (lastIsFull && layer === layers - 1);
    return isForced ? 'full_attention' : usual(layer);
  });
}

/** Returns the type of a layer by the repeating pattern of its class. */
function repeatedType({ defaults = {}, fields }: Source): (layer: number) => string {
  const { pattern, mix, allLayers = 'full_attention' } = defaults;
  if (pattern !== undefined) return (layer) => pattern[layer % pattern.length] ?? allLayers;
  if (mix === undefined) return () => allLayers;
  const { everyKey, first, other } = mix;
  // Exaone 4 also writes it as a string ("LLLG"), which matches its class default.
  const given = everyKey !== undefined && typeof fields.raw(everyKey) === 'number';
  const every = (given ? fields.integer(everyKey, POSITIVE.layers) : undefined) ?? mix.every;
  return (layer) => ((first ? layer : layer + 1) % every === 0 ? 'full_attention' : other);
}

function checkList(source: Source, list: readonly unknown[], layers: number): readonly string[] {
  const path = source.fields.at('layer_types');
  const types = list.map((value, index) => {
    if (typeof value !== 'string') {
      fail('wrong_type', `${path}[${index}]`, `must be a layer type, found ${show(value)}`);
    }
    return LEGACY_NAMES.get(value) ?? value;
  });
  if (types.length !== layers) {
    fail('wrong_length', path, `has ${types.length} entries for ${layers} layers`);
  }
  return types;
}

const LEGACY_NAMES: ReadonlyMap<string, string> = new Map([
  ['attention', 'full_attention'],
  ['mamba', 'linear_attention'],
]);

/** Layer types that do not attend to the text: some attend to an image (Llama 3.2 Vision). */
const NOT_ATTENTION = [
  'linear_attention',
  'conv',
  'mamba',
  'recurrent',
  'cross_attention',
  'moe',
  'mlp',
];

/** Whether layers of this type attend to the text, and so may rotate. */
export function attends(layerType: string): boolean {
  return !NOT_ATTENTION.includes(layerType);
}

/**
 * Returns how far layers of a type look. A window that covers the whole context counts as none.
 *
 * @param window tokens, for the local types
 */
export function spanOf(layerType: string, window: number | undefined, maxPositions: number): Span {
  const chunked = layerType.includes('chunked');
  // `reference_sliding_attention` sees the whole prompt and slides over the answer only.
  const local = chunked || (layerType.includes('sliding') && !layerType.startsWith('reference'));
  if (!local || window === undefined || window >= maxPositions) return { kind: 'global' };
  return { kind: chunked ? 'chunked' : 'sliding', window };
}

/** How a family writes its block, if it has one block for all layers. */
export interface FlatRules {
  /** The key of theta outside the block; NeoX uses another one. */
  readonly thetaKey?: string;
  /** The key of the partial rotary factor outside the block. */
  readonly partialKey?: string;
  /** Type aliases, e.g. `mrope` → `default`. */
  readonly aliases?: ReadonlyMap<string, string>;
  /** Keys that this family adds to the block and reads elsewhere. */
  readonly extraKeys?: readonly string[];
  /** Rope types that the family accepts; default all. */
  readonly accepts?: readonly string[];
  /** The family's partial rotary factor, which takes precedence over that of the class. */
  readonly partialDefault?: number;
  /** Whether `partialDefault` follows from another key of the file, and is no default to report. */
  readonly partialIsGiven?: boolean;
  /** Whether the class ignores a legacy `rope_scaling` (Cohere2 MoE). */
  readonly dropsRopeScaling?: boolean;
}

/** The layer types of transformers. A block with one of these keys holds a block for each. */
export const LAYER_TYPE_KEYS = [
  'full_attention',
  'sliding_attention',
  'chunked_attention',
  'linear_attention',
  'indexed_attention',
  'hybrid',
  'hybrid_sliding',
] as const;

/**
 * Reads the block of a config that has one block for all layers. A non-empty `rope_scaling`
 * replaces `rope_parameters`; an empty one counts as absent.
 *
 * @throws RopeEvalError `wrong_type` if a block is not an object, `unsupported_for_model` for
 *   blocks nested by layer type and for types that the family does not accept
 */
export function flatBlock(source: Source, rules: FlatRules = {}): Read<RopeBlock> {
  const findings: Finding[] = [];
  const pick = rules.dropsRopeScaling ? newerBlock : pickBlock;
  const fields = take(findings, pick(source)) ?? defaultBlock(source);
  const nestedKey = LAYER_TYPE_KEYS.find((key) => isRecord(fields.raw(key)));
  if (nestedKey !== undefined) {
    fail(
      'unsupported_for_model',
      fields.at(nestedKey),
      `${source.modelType} has one block for all layers; a block per layer type is not read`,
      'write rope_type and its keys directly into the block',
    );
  }
  const type = take(findings, readType(source, fields, rules));
  const original = outerOriginal(source, type);
  const inner = fields.raw('original_max_position_embeddings');
  if (original?.fromClass === true && typeof inner === 'number' && inner !== original.tokens) {
    findings.push(
      finding('class_fault', fields.at('original_max_position_embeddings'), {
        model: source.modelType,
        version: TRANSFORMERS_VERSION,
        fault: 'class_original_wins',
        value: original.tokens,
      }),
    );
  }
  const { thetaKey = 'rope_theta', partialKey = 'partial_rotary_factor' } = rules;
  const share = rules.partialDefault ?? source.defaults?.partial;
  const block: RopeBlock = {
    fields,
    type,
    theta: take(findings, readTheta(source, fields, thetaKey, source.defaults?.theta)),
    partial: take(
      rules.partialIsGiven === true ? [] : findings,
      readPartial(source, fields, partialKey, share),
    ),
    outerOriginal: original?.tokens,
    originalFromClass: original?.fromClass === true,
    nested: false,
    ...(rules.extraKeys !== undefined && { extraKeys: rules.extraKeys }),
  };
  return { value: block, findings };
}

/**
 * Returns `original_max_position_embeddings` from outside the block. A class that has this field
 * also has a default for it, which takes precedence over the value inside a scaled block.
 */
function outerOriginal(
  source: Source,
  type: string,
): { readonly tokens: number; readonly fromClass: boolean } | undefined {
  const key = 'original_max_position_embeddings';
  const tokens = source.fields.nullableInteger(key, POSITIVE.tokens);
  if (tokens !== undefined) return { tokens, fromClass: false };
  const ofClass = type === 'default' ? undefined : source.defaults?.original;
  return ofClass === undefined ? undefined : { tokens: ofClass, fromClass: true };
}

/** Returns the block that counts, or undefined if neither key holds one. */
export function pickBlock(source: Source): Read<Fields | undefined> {
  const { scaling, parameters } = bothBlocks(source);
  const differ =
    scaling !== undefined &&
    parameters !== undefined &&
    JSON.stringify(scaling.record) !== JSON.stringify(parameters.record);
  return {
    value: scaling ?? parameters,
    findings: differ ? [finding('two_blocks', parameters.path)] : [],
  };
}

/** Returns the block of a class that ignores a legacy `rope_scaling`. */
function newerBlock(source: Source): Read<Fields | undefined> {
  const { scaling, parameters } = bothBlocks(source);
  const model = source.modelType;
  const findings = scaling === undefined ? [] : [finding('unread_block', scaling.path, { model })];
  return { value: parameters, findings };
}

function bothBlocks({ fields }: Source) {
  return {
    scaling: nonEmpty(fields.nullableFields('rope_scaling')),
    parameters: nonEmpty(fields.nullableFields('rope_parameters')),
  };
}

function nonEmpty(fields: Fields | undefined): Fields | undefined {
  return fields !== undefined && Object.keys(fields.record).length > 0 ? fields : undefined;
}

/** Returns the block that the class supplies if the config has none (gpt-oss: YaRN 32x). */
function defaultBlock(source: Source): Fields {
  return new Fields(source.defaults?.block ?? {}, source.fields.at('rope_parameters'));
}

/** `rope_type` takes precedence over `type`; without either it is `default`. Null is an error. */
function readType(source: Source, fields: Fields, rules: FlatRules): Read<string> {
  const key = fields.has('rope_type') ? 'rope_type' : 'type';
  const given = fields.raw(key);
  if (given === undefined) return { value: 'default', findings: [] };
  if (typeof given !== 'string') {
    fail('wrong_type', fields.at(key), `must be the name of a rope type, found ${show(given)}`);
  }
  const legacy = fields.raw('type');
  const differs = key === 'rope_type' && typeof legacy === 'string' && legacy !== given;
  const findings = differs
    ? [
        finding('conflict', fields.at('type'), {
          used: given,
          usedPath: fields.at('rope_type'),
          ignored: legacy,
        }),
      ]
    : [];
  const type = rules.aliases?.get(given) ?? given;
  if (rules.accepts !== undefined && !rules.accepts.includes(type)) {
    fail(
      'unsupported_for_model',
      fields.at(key),
      `${source.modelType} reads only ${rules.accepts.join(', ')}, found ${show(given)}`,
    );
  }
  return { value: type, findings };
}

/**
 * Reads theta from inside the block, else from outside it, else from the class default with a
 * notice.
 *
 * @param outerKey undefined if the family has no key for it outside the block
 */
export function readTheta(
  source: Source,
  block: Fields,
  outerKey: string | undefined,
  classDefault: number | undefined,
): Read<number> {
  const inner = block.number('rope_theta', THETA_RULE);
  const outer = outerKey === undefined ? undefined : source.fields.number(outerKey, THETA_RULE);
  const given = inner ?? outer;
  const innerPath = block.at('rope_theta');
  const outerPath = outerKey === undefined ? innerPath : source.fields.at(outerKey);
  if (given !== undefined) {
    if (given <= 1) {
      const path = inner === undefined ? outerPath : innerPath;
      fail('invalid_value', path, `must be above 1, found ${given}`, 'usual bases start at 10000');
    }
    const differ = inner !== undefined && outer !== undefined && inner !== outer;
    const findings = differ
      ? [finding('conflict', outerPath, { used: inner, usedPath: innerPath, ignored: outer })]
      : [];
    return { value: given, findings };
  }
  const value = classDefault ?? DEFAULT_THETA;
  return {
    value,
    findings: [finding('missing_theta', outerPath, { value, model: source.modelType })],
  };
}

/** The default of transformers' `RotaryEmbeddingConfigMixin.default_theta`; from Su et al. 2021. */
const DEFAULT_THETA = 10_000;

/** Reads partial_rotary_factor: inside the block, else outside it, else the class default. */
export function readPartial(
  source: Source,
  block: Fields,
  outerKey: string,
  classDefault: number | undefined,
): Read<number | undefined> {
  const rule = { max: Number.MAX_VALUE };
  const inner = block.nullableNumber('partial_rotary_factor', rule);
  const outer = source.fields.nullableNumber(outerKey, rule);
  const outerPath = source.fields.at(outerKey);
  if (inner !== undefined && outer !== undefined && inner !== outer) {
    const usedPath = block.at('partial_rotary_factor');
    const args = { used: inner, usedPath, ignored: outer };
    return { value: inner, findings: [finding('conflict', outerPath, args)] };
  }
  const given = inner ?? outer;
  if (given !== undefined || classDefault === undefined) return { value: given, findings: [] };
  const args = { value: classDefault, model: source.modelType };
  return {
    value: classDefault,
    findings: classDefault === 1 ? [] : [finding('missing_partial', outerPath, args)],
  };
}

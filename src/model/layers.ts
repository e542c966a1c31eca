import { BOUNDS, fail, show } from '../json/bounds.js';
import type { Fields } from '../json/fields.js';
import type { ClassDefaults } from './class-defaults.js';
import type { Source } from './source.js';
import type { Span } from './types.js';

/**
 * A key that lists the indices of the layers of one type. All other layers have the type `others`.
 */
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
export function indexedLayerTypes(fields: Fields, layers: number): readonly string[] | undefined {
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
  const { defaults, fields } = source;
  const mix = defaults?.mix;
  if (defaults?.pattern !== undefined) return repeatPattern(defaults, layers);
  if (mix === undefined) {
    return Array.from({ length: layers }, () => defaults?.allLayers ?? 'full_attention');
  }
  const { everyKey } = mix;
  // Exaone 4 also writes it as a string ("LLLG"), which matches its class default.
  const given = everyKey !== undefined && typeof fields.raw(everyKey) === 'number';
  const every =
    (given ? fields.integer(everyKey, { above: 0, max: BOUNDS.layers }) : undefined) ?? mix.every;
  return Array.from({ length: layers }, (_, layer) => {
    const full = mix.first === true ? layer % every === 0 : (layer + 1) % every === 0;
    const last = defaults?.lastIsFull === true && layer === layers - 1;
    return full || last ? 'full_attention' : mix.other;
  });
}

function repeatPattern(defaults: ClassDefaults, layers: number): readonly string[] {
  const { pattern = [], firstIsFull, lastIsFull } = defaults;
  return Array.from({ length: layers }, (_, layer) => {
    const forced =
      (firstIsFull === true && layer === 0) || (lastIsFull === true && layer === layers - 1);
    return forced ? 'full_attention' : (pattern[layer % pattern.length] ?? 'full_attention');
  });
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

/**
 * Layer types that process the sequence without attention, attend to an image instead of the text
 * (Llama 3.2 Vision), or do not mix tokens at all.
 */
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

import { BOUNDS } from './bounds.js';
import type { ClassDefaults } from './class-defaults/index.js';
import { fail, show } from './fail.js';
import type { Source } from './source.js';
import type { Span } from './types.js';

/** Older configs say how often a full-attention layer comes, under one of these keys. */
const INTERVAL_KEYS = [
  'sliding_window_pattern',
  'global_attn_every_n_layers',
  'full_attention_interval',
  'layer_group_size',
] as const;

/**
 * The type of each layer: the config's list, else the repeating pattern of its class.
 *
 * @returns one entry per layer
 * @throws RopeEvalError `wrong_type` and `wrong_length` for a list that does not fit
 */
export function layerTypes(source: Source, layers: number): readonly string[] {
  const listed =
    source.fields.nullableList('layer_types') ?? source.fields.nullableList('layers_block_type');
  if (listed !== undefined) return checkList(source, listed, layers);
  const { defaults, fields } = source;
  const mix = defaults?.mix;
  if (defaults?.pattern !== undefined) return repeatPattern(defaults, layers);
  if (mix === undefined) {
    return Array.from({ length: layers }, () => defaults?.allLayers ?? 'full_attention');
  }
  const key = INTERVAL_KEYS.find((name) => typeof fields.raw(name) === 'number');
  const every = (key && fields.integer(key, { above: 0, max: BOUNDS.layers })) ?? mix.every;
  return Array.from({ length: layers }, (_, layer) => {
    const full = mix.first === true ? layer % every === 0 : (layer + 1) % every === 0;
    return full ? 'full_attention' : mix.other;
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

/** Layer types that carry an order without attention, or are no sequence layers at all. */
const NOT_ATTENTION = ['linear_attention', 'conv', 'mamba', 'recurrent', 'moe', 'mlp'];

/** Whether layers of this type attend, and so may rotate. */
export function attends(layerType: string): boolean {
  return !NOT_ATTENTION.includes(layerType);
}

/**
 * How far layers of a type look. A window that reaches the whole context is no window.
 *
 * @param window tokens, for the local types
 */
export function spanOf(layerType: string, window: number | undefined, maxPositions: number): Span {
  const chunked = layerType.includes('chunked');
  const local = chunked || layerType.includes('sliding');
  if (!local || window === undefined || window >= maxPositions) return { kind: 'global' };
  return { kind: chunked ? 'chunked' : 'sliding', window };
}

import { BOUNDS, fail, show } from '../../json/bounds.js';
import { Fields } from '../../json/fields.js';
import { isRecord, type UnknownRecord } from '../../json/parse.js';
import type { Read, RopeBlock } from '../../rope/kind.js';
import { THETA_RULE } from '../../rope/read.js';
import { pickBlock } from '../block.js';
import { readDecoder } from '../decoder.js';
import { spanOf } from '../layers.js';
import type { Source } from '../source.js';
import type { Dialect } from '../types.js';

const DEFAULTS = Object.freeze({ theta: 10_000, compressTheta: 160_000, partial: 0.125 });

/** Labels of the two tables, as in the class. */
const MAIN = 'main';
const COMPRESS = 'compress';

/**
 * An entry of the published `compress_ratios`: 0 marks a sliding layer, any other number a layer
 * with a compressor.
 */
const SLIDING_RATIO = 0;

/**
 * DeepSeek-V4: layers that only slide rotate by the table `main`, and layers with a compressor by
 * `compress`. The latter has its own theta, and a scaling reaches it alone. YaRN's temperature is
 * not applied.
 */
export const deepseekV4: Dialect = Object.freeze({
  name: 'main and compressed tables',
  modelTypes: ['deepseek_v4'],
  writes: 'per-layer',
  read: (source: Source) =>
    readDecoder(source, {
      usesPartial: true,
      keepEmptyGroups: true,
      layerTypes: tableLabels,
      scalable: (label) => label === COMPRESS,
      spanOf: (label, window, max) => spanOf(label === MAIN ? 'sliding' : label, window, max),
      window: (inner, label) =>
        label === MAIN
          ? (inner.fields.nullableInteger('sliding_window', { above: 0, max: BOUNDS.positions }) ??
            inner.defaults?.window)
          : undefined,
      blocks: (inner, _types, shape) => blocks(inner, shape.headDim),
    }),
});

/**
 * Returns one label per layer, from layer_types or compress_ratios. Without either, all layers
 * compress.
 */
function tableLabels(source: Source, layers: number): readonly string[] {
  const types = source.fields.nullableList('layer_types');
  const ratios = source.fields.nullableList('compress_ratios');
  const list = types ?? ratios;
  if (list === undefined) return Array.from({ length: layers }, () => COMPRESS);
  if (list.length < layers) {
    const path = source.fields.at(types === undefined ? 'compress_ratios' : 'layer_types');
    fail('wrong_length', path, `has ${list.length} entries for ${layers} layers`);
  }
  return list
    .slice(0, layers)
    .map((value) => (value === 'sliding_attention' || value === SLIDING_RATIO ? MAIN : COMPRESS));
}

function blocks(source: Source, headDim: number): Read<ReadonlyMap<string, RopeBlock>> {
  const { value: given, findings } = pickBlock(source);
  const main = given?.raw(MAIN);
  const compress = given?.raw(COMPRESS);
  const partial = readShare(source, headDim);
  if (given !== undefined && isRecord(main) && isRecord(compress)) {
    const nested = (record: UnknownRecord, key: string, theta: number): RopeBlock => {
      const block = nestedBlock(given.beside(record, given.at(key)), theta, partial);
      // The class does not add the share to an unscaled block that is already nested.
      const own = block.fields.given('partial_rotary_factor');
      return block.type === 'default' && !own ? { ...block, partial: 1 } : block;
    };
    const both = [
      [MAIN, nested(main, MAIN, DEFAULTS.theta)],
      [COMPRESS, nested(compress, COMPRESS, DEFAULTS.compressTheta)],
    ] as const;
    return { value: new Map(both), findings };
  }
  const theta = source.fields.number('rope_theta', THETA_RULE) ?? DEFAULTS.theta;
  const compressTheta =
    source.fields.number('compress_rope_theta', THETA_RULE) ?? DEFAULTS.compressTheta;
  const flat = given?.record ?? {};
  const both = [
    [MAIN, nestedBlock(source.fields.beside({}, 'rope_parameters.main'), theta, partial)],
    [
      COMPRESS,
      nestedBlock(
        source.fields.beside(scaled(flat), given?.path ?? 'rope_parameters'),
        compressTheta,
        partial,
      ),
    ],
  ] as const;
  return { value: new Map(both), findings };
}

/** Keys that the class sets itself, whatever a flat block contains. */
const OWN_VALUES: readonly string[] = ['rope_theta', 'partial_rotary_factor'];

/**
 * Returns a flat block as the compressed layers use it, without its theta and share, which do not
 * count.
 */
function scaled(flat: UnknownRecord): UnknownRecord {
  const rest = Object.fromEntries(
    Object.entries(flat).filter(([key]) => !OWN_VALUES.includes(key)),
  );
  const type = rest['rope_type'] ?? rest['type'];
  return type === 'yarn' ? { attention_factor: 1, ...rest } : rest;
}

function nestedBlock(fields: Fields, theta: number, partial: number): RopeBlock {
  const type = fields.raw('rope_type') ?? fields.raw('type') ?? 'default';
  if (typeof type !== 'string') {
    fail('wrong_type', fields.at('rope_type'), `must be a rope type, found ${show(type)}`);
  }
  return {
    fields,
    type,
    theta: fields.number('rope_theta', THETA_RULE) ?? theta,
    partial: fields.nullableNumber('partial_rotary_factor', { max: 1 }) ?? partial,
    outerOriginal: undefined,
    nested: true,
  };
}

function readShare(source: Source, headDim: number): number {
  const given = source.fields.nullableNumber('partial_rotary_factor', { max: 1 });
  const dims = source.fields.nullableInteger('qk_rope_head_dim', { above: 0, max: headDim });
  return given ?? (dims === undefined ? DEFAULTS.partial : dims / headDim);
}

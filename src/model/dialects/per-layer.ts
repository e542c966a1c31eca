import { finding, type Finding } from '../../findings/index.js';
import { fail } from '../../json/bounds.js';
import type { Fields } from '../../json/fields.js';
import { isRecord } from '../../json/parse.js';
import { type Read, type RopeBlock, take } from '../../rope/kind.js';
import { readPartial, readTheta } from '../block.js';
import { type DecoderRules, readDecoder } from '../decoder.js';
import { attends } from '../layers.js';
import type { Source } from '../source.js';
import type { Dialect } from '../types.js';

/** How a family with one block per layer type reads older configs. */
export interface PerLayerRules {
  /** Layer types that a flat `rope_scaling` reaches. */
  readonly scalingReaches: readonly string[];
  /**
   * The key of theta outside the blocks, by layer type. A type without one uses the class default.
   */
  readonly thetaKeys: Readonly<Record<string, string>>;
  /** Whether a partial_rotary_factor outside the blocks counts; default true. */
  readonly outerPartial?: boolean;
  /** The default share of a block, if the class has one. */
  readonly partialOf?: (layerType: string, ropeType: string) => number | undefined;
}

/**
 * Reads the blocks of a family with one per layer type. New configs nest them under
 * `rope_parameters`. Older ones have a flat `rope_scaling`, which reaches only some of the types.
 *
 * @throws RopeEvalError `unsupported_for_model` for a flat `rope_parameters`, whose keys
 *   transformers would not read, and for a flat `rope_scaling` in a family that does not have that
 *   form
 */
function perLayerBlocks(
  source: Source,
  types: readonly string[],
  rules: PerLayerRules,
): Read<ReadonlyMap<string, RopeBlock | null>> {
  const names = new Set([
    ...Object.keys(source.defaults?.perLayer ?? {}),
    ...types.filter(attends),
  ]);
  const scaling = source.fields.nullableFields('rope_scaling');
  const parameters = nestedBlocks(source, scaling, rules);
  checkNested(source, parameters, names);
  const findings: Finding[] = [];
  const blocks = [...names].map(
    (type) => [type, take(findings, oneBlock(source, type, rules, scaling, parameters))] as const,
  );
  return { value: new Map(blocks), findings };
}

/**
 * Returns the object that holds the blocks, which is `rope_parameters`. In families without the
 * flat form, a `rope_scaling` replaces all of it, so it must hold a block per layer type too;
 * otherwise transformers stops.
 */
function nestedBlocks(
  source: Source,
  scaling: Fields | undefined,
  { scalingReaches }: PerLayerRules,
): Fields | undefined {
  const replaces = scalingReaches.length === 0 && Object.keys(scaling?.record ?? {}).length > 0;
  return replaces ? scaling : source.fields.nullableFields('rope_parameters');
}

function checkNested(source: Source, parameters: Fields | undefined, names: Set<string>): void {
  if (parameters === undefined) return;
  const keys = Object.keys(parameters.record);
  if (keys.length === 0 || keys.some((key) => names.has(key))) return;
  fail(
    'unsupported_for_model',
    parameters.path,
    `${source.modelType} reads one block per layer type; a flat block is not read`,
    `nest it: {${[...names].map((name) => `"${name}": {...}`).join(', ')}}`,
  );
}

function oneBlock(
  source: Source,
  type: string,
  rules: PerLayerRules,
  scaling: Fields | undefined,
  parameters: Fields | undefined,
): Read<RopeBlock | null> {
  const fallback = source.defaults?.perLayer?.[type];
  const own = ownBlock(source, type, parameters);
  // If the class gives this type no RoPE, that holds for a config without blocks and for one with a
  // null here. A config whose blocks leave the type out gets a plain block for it.
  const decides = parameters === undefined || parameters.has(type);
  if (own === null && decides && fallback === null) return { value: null, findings: [] };
  const legacy = rules.scalingReaches.includes(type) ? scaling : undefined;
  const findings: Finding[] = [];
  const useClassBlock = parameters === undefined;
  const fields = take(findings, merged(source, own, legacy, type, fallback, useClassBlock));
  const outerKey = rules.thetaKeys[type];
  const ropeType = typeOf(source, fields, own !== null && own.has('type'));
  const key = 'partial_rotary_factor';
  const classTheta = fallback?.theta ?? source.defaults?.theta;
  const block: RopeBlock = {
    fields,
    type: ropeType,
    theta: take(findings, readTheta(source, fields, outerKey, classTheta)),
    partial:
      rules.outerPartial === false
        ? (fields.nullableNumber(key, { max: Number.MAX_VALUE }) ??
          rules.partialOf?.(type, ropeType))
        : take(findings, readPartial(source, fields, key, source.defaults?.partial)),
    outerOriginal: undefined,
    nested: true,
  };
  return { value: block, findings };
}

function ownBlock(source: Source, type: string, parameters: Fields | undefined): Fields | null {
  const value = parameters?.raw(type);
  if (value === undefined || value === null) return null;
  if (!isRecord(value)) {
    fail('wrong_type', parameters?.at(type) ?? type, 'must be an object');
  }
  return source.fields.beside(value, parameters?.at(type) ?? type);
}

/**
 * Merges the blocks of one layer type. A legacy block overrides one that already has rope_type
 * default.
 */
function merged(
  source: Source,
  own: Fields | null,
  legacy: Fields | undefined,
  type: string,
  fallback: { readonly type?: string; readonly partial?: number } | null | undefined,
  useClassBlock: boolean,
): Read<Fields> {
  if (legacy !== undefined && Object.keys(legacy.record).length > 0) {
    const base = own?.record ?? {};
    const untyped =
      !legacy.has('rope_type') && !Object.hasOwn(base, 'rope_type') && legacy.given('type');
    const args = { type: String(legacy.raw('type')), model: source.modelType };
    for (const key of Object.keys(base)) own?.raw(key);
    return {
      value: legacy.beside({ rope_type: 'default', ...base, ...legacy.record }, legacy.path),
      findings: untyped ? [finding('type_not_applied', legacy.at('type'), args)] : [],
    };
  }
  if (own !== null) return { value: own, findings: [] };
  const classBlock = useClassBlock && fallback ? fallback : {};
  const block = {
    rope_type: classBlock.type ?? 'default',
    ...(classBlock.partial !== undefined && { partial_rotary_factor: classBlock.partial }),
  };
  const path = source.fields.at(`rope_parameters.${type}`);
  return { value: source.fields.beside(block, path), findings: [] };
}

function typeOf(source: Source, fields: Fields, mayUseLegacy: boolean): string {
  const given = fields.has('rope_type')
    ? fields.raw('rope_type')
    : mayUseLegacy
      ? fields.raw('type')
      : 'default';
  if (given === undefined) return 'default';
  if (typeof given !== 'string') {
    fail('wrong_type', fields.at('rope_type'), 'must be the name of a rope type');
  }
  return given;
}

/** Makes a reader for a family with one block per layer type. */
export function perLayer(
  rules: PerLayerRules,
  more: DecoderRules = {},
): (source: Source) => ReturnType<Dialect['read']> {
  return (source) =>
    readDecoder(source, {
      // In families that only accept nested blocks, each type has its own block, and a scaling is
      // written for the global layers.
      scalable: (type) =>
        (rules.scalingReaches.length === 0 ? ['full_attention'] : rules.scalingReaches).includes(
          type,
        ),
      ...more,
      blocks: (inner, types) => perLayerBlocks(inner, types, rules),
    });
}

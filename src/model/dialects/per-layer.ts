import { finding } from '../../findings/index.js';
import { fail } from '../../json/fail.js';
import { Fields } from '../../json/fields.js';
import { isRecord } from '../../json/parse.js';
import type { RopeBlock } from '../../rope/kind.js';
import { readPartial, readTheta } from '../block.js';
import { type DecoderRules, readDecoder } from '../decoder.js';
import { attends } from '../layers.js';
import type { Source } from '../source.js';
import type { Dialect } from './dialect.js';

/** How a family with a block per layer type reads older configs. */
export interface PerLayerRules {
  /** Layer types that a flat `rope_scaling` reaches. */
  readonly scalingReaches: readonly string[];
  /** Key of theta outside the blocks, by layer type; a type without one has the class default. */
  readonly thetaKeys: Readonly<Record<string, string>>;
  /** Whether a partial_rotary_factor outside the blocks counts; default true. */
  readonly outerPartial?: boolean;
  /** The share of a block that says none, where the class has one. */
  readonly partialOf?: (layerType: string, ropeType: string) => number | undefined;
}

/**
 * Reads the blocks of a family with one per layer type. New configs nest them under
 * `rope_parameters`; older ones have a flat `rope_scaling`, which reaches some types only.
 *
 * @throws RopeEvalError `unsupported_for_model` for a flat `rope_parameters`, whose keys
 *   transformers would leave unread, and for a flat `rope_scaling` in a family that has no such form
 */
export function perLayerBlocks(
  source: Source,
  types: readonly string[],
  rules: PerLayerRules,
): ReadonlyMap<string, RopeBlock | null> {
  const names = new Set([
    ...Object.keys(source.defaults?.perLayer ?? {}),
    ...types.filter(attends),
  ]);
  const scaling = source.fields.nullableFields('rope_scaling');
  const parameters = nestedBlocks(source, scaling, rules);
  checkNested(source, parameters, names);
  return new Map(
    [...names].map((type) => [type, oneBlock(source, type, rules, scaling, parameters)]),
  );
}

/**
 * What holds the blocks: `rope_parameters`. In families without a flat form a `rope_scaling`
 * replaces it whole, and so must hold a block per layer type too; transformers stops otherwise.
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
): RopeBlock | null {
  const fallback = source.defaults?.perLayer?.[type];
  const own = ownBlock(source, type, parameters);
  // A config that gives blocks decides alone which types rotate; the class speaks for the rest.
  if (own === null && parameters?.has(type) === true && fallback === null) return null;
  if (own === null && parameters === undefined && fallback === null) return null;
  const legacy = rules.scalingReaches.includes(type) ? scaling : undefined;
  const fields = merged(source, own, legacy, type, fallback, parameters === undefined);
  const outerKey = rules.thetaKeys[type];
  const ropeType = typeOf(source, fields, own !== null && own.has('type'));
  return {
    fields,
    type: ropeType,
    theta: readTheta(source, fields, outerKey, fallback?.theta ?? source.defaults?.theta),
    partial:
      rules.outerPartial === false
        ? (fields.nullableNumber('partial_rotary_factor', { max: Number.MAX_VALUE }) ??
          rules.partialOf?.(type, ropeType))
        : readPartial(source, fields, 'partial_rotary_factor', source.defaults?.partial),
    outerOriginal: undefined,
    nested: true,
  };
}

function ownBlock(source: Source, type: string, parameters: Fields | undefined): Fields | null {
  const value = parameters?.raw(type);
  if (value === undefined || value === null) return null;
  if (!isRecord(value)) {
    fail('wrong_type', parameters?.at(type) ?? type, 'must be an object');
  }
  return source.fields.beside(value, parameters?.at(type) ?? type);
}

/** A legacy block is laid over one that already says rope_type default. */
function merged(
  source: Source,
  own: Fields | null,
  legacy: Fields | undefined,
  type: string,
  fallback: { readonly type?: string; readonly partial?: number } | null | undefined,
  useClassBlock: boolean,
): Fields {
  if (legacy !== undefined && Object.keys(legacy.record).length > 0) {
    const base = own?.record ?? {};
    if (!legacy.has('rope_type') && !Object.hasOwn(base, 'rope_type') && legacy.given('type')) {
      source.findings.push(
        finding('type_not_applied', legacy.at('type'), {
          type: String(legacy.raw('type')),
          model: source.modelType,
        }),
      );
    }
    for (const key of Object.keys(base)) own?.raw(key);
    return legacy.beside({ rope_type: 'default', ...base, ...legacy.record }, legacy.path);
  }
  if (own !== null) return own;
  const classBlock = useClassBlock && fallback ? fallback : {};
  return new Fields(
    {
      rope_type: classBlock.type ?? 'default',
      ...(classBlock.partial !== undefined && { partial_rotary_factor: classBlock.partial }),
    },
    source.fields.at(`rope_parameters.${type}`),
  );
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

/** A reader for a family with one block per layer type. */
export function perLayer(
  rules: PerLayerRules,
  more: DecoderRules = {},
): (source: Source) => ReturnType<Dialect['read']> {
  return (source) =>
    readDecoder(source, {
      // Nested-only families take a block per type; a scaling is written for the global layers.
      scalable: (type) =>
        (rules.scalingReaches.length === 0 ? ['full_attention'] : rules.scalingReaches).includes(
          type,
        ),
      ...more,
      blocks: (inner, types) => perLayerBlocks(inner, types, rules),
    });
}

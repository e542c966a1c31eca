import { finding, type Finding } from '../findings/index.js';
import { BOUNDS, fail } from '../json/bounds.js';
import type { Fields } from '../json/fields.js';
import { type Read, take } from '../rope/kind.js';
import type { ClassDefaults } from './class-defaults.js';

/** One model's part of a config, as the dialects read it. */
export interface Source {
  /** `model_type` of this part. */
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

export const USUAL_KEYS: ShapeKeys = Object.freeze({
  hidden: 'hidden_size',
  heads: 'num_attention_heads',
  kvHeads: 'num_key_value_heads',
  layers: 'num_hidden_layers',
  maxPositions: 'max_position_embeddings',
  headDim: 'head_dim',
});

/** Returns the family's own keys that the config has, and the usual ones for the rest. */
export function eitherKeys(source: Source, own: Partial<ShapeKeys>): ShapeKeys {
  const given = Object.entries(own).filter(([, key]) => source.fields.given(key));
  return { ...USUAL_KEYS, ...Object.fromEntries(given) };
}

/** How a family derives the shape of its attention. */
export interface ShapeRules {
  readonly keys: ShapeKeys;
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
export function readShape(source: Source, rules: ShapeRules): Read<Shape> {
  const { fields, defaults } = source;
  const { keys } = rules;
  const taken: Record<string, number> = {};
  const width = (key: string, max: number, fallback: number | undefined): number => {
    const value = fields.integer(key, { above: 0, max });
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
  const explicitHeadDim = readHeadDim(source, rules);
  // With an explicit head_dim, the width does not affect RoPE, but the costs depend on it.
  const heads = rules.fixedHeads ?? width(keys.heads, BOUNDS.heads, defaults?.heads);
  const hiddenSize = width(keys.hidden, BOUNDS.width, defaults?.hidden);
  const kvHeads =
    rules.fixedKvHeads ??
    fields.nullableInteger(keys.kvHeads, { above: 0, max: BOUNDS.heads }) ??
    (source.nested ? defaults?.kvHeads : undefined) ??
    heads;
  if (rules.mustDivide === true) checkDivisible(source, keys, hiddenSize, heads);
  const headDim = explicitHeadDim ?? deriveHeadDim(source, rules, hiddenSize, heads);
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

function readHeadDim(source: Source, rules: ShapeRules): number | undefined {
  const fixed = rules.fixedHeadDim?.(source);
  if (fixed !== undefined) return fixed;
  const key = rules.keys.headDim;
  const rule = { above: 0, max: BOUNDS.headDim };
  // An explicit null means that head_dim is derived, even if the class has its own number.
  if (source.fields.has(key)) return source.fields.nullableInteger(key, rule);
  return source.defaults?.headDim;
}

function deriveHeadDim(source: Source, rules: ShapeRules, hidden: number, heads: number): number {
  if (rules.derivedHeadDim !== undefined) return rules.derivedHeadDim(hidden, heads);
  checkDivisible(source, rules.keys, hidden, heads);
  return hidden / heads;
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
  const value = fields.integer(key, { above: 0, max: BOUNDS.positions });
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

/**
 * Reads the number of layers. The frequencies do not depend on it, so a missing one is only a
 * notice.
 */
function readLayers(source: Source, keys: ShapeKeys, taken: Record<string, number>): Read<number> {
  const { fields, defaults } = source;
  const value = fields.integer(keys.layers, { above: 0, max: BOUNDS.layers });
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

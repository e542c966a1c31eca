import { finding, type Finding } from '../findings/index.js';
import { POSITIVE } from '../json/fields.js';
import { BOUNDS, fail } from '../json/parse.js';
import { type Read, type RopeBlock, take } from '../rope/kind.js';
import { yarnMscale } from '../rope/kinds/yarn.js';
import { readScaling } from '../rope/read.js';
import { attends, flatBlock, type FlatRules, layerTypes, spanOf } from './block.js';
import { trainedIn } from './evidence.js';
import {
  readShape,
  type Shape,
  type ShapeRules,
  type Source,
  TRANSFORMERS_VERSION,
} from './source.js';
import type { AttentionShape, Dialect, LayerGroup, ModelGeometry, QueryScaling } from './types.js';

/** Model types whose tokens attend in both directions (`is_causal = False`). */
const ENCODERS: ReadonlySet<string> = new Set([
  'blt_local_encoder',
  'embedding_gemma2_text',
  'esm',
  'esmc',
  'eurobert',
  'gte',
  'jina_embeddings_v3',
  'modernbert',
  'neomme',
  'nomic_bert',
  'openai_privacy_filter',
  'roformer',
  't5gemma2_text',
  'ultrabert',
]);

/**
 * Whether a model attends in both directions, so that it decodes nothing and keeps no cache. A
 * class of unknown type counts as an encoder if its name ends in `ForMaskedLM`.
 */
export function isBidirectional(source: Source): boolean {
  const { fields, modelType, defaults, architecture } = source;
  if (fields.raw('is_decoder') === true) return false;
  // EmbeddingGemma is a Gemma 3 with this key set.
  if (fields.raw('use_bidirectional_attention') === true) return true;
  if (ENCODERS.has(modelType)) return true;
  return defaults === undefined && architecture?.endsWith('ForMaskedLM') === true;
}

/** How a family sets its multiplier on q·k. */
export interface SoftmaxRule {
  /** The dimension under the root, if it is not head_dim (latent attention: nope + rope). */
  readonly queryDim?: (source: Source, shape: Shape) => number | undefined;
  /** DeepSeek-V3: a YaRN block multiplies the scale by mscale(factor, mscale_all_dim) squared. */
  readonly yarnMscaleSquared?: boolean;
}

/**
 * Computes the multiplier on q·k before the softmax, as configured and without the scaling block.
 *
 * `attention_multiplier` (Granite) is the multiplier itself, and `query_pre_attn_scalar` (Gemma)
 * replaces the dimension under the root; otherwise it is 1 / sqrt(head dimension). A class may fix
 * the multiplier (Gemma 4: 1) or have its own default for a config without the key.
 *
 * @see transformers `yarn_apply_mscale` of DeepSeek-V3
 */
function softmaxScales(
  source: Source,
  shape: Shape,
  global: LayerGroup | undefined,
  rule: SoftmaxRule = {},
): Pick<ModelGeometry, 'softmaxScale' | 'unscaledSoftmaxScale'> {
  const { fields } = source;
  const multiplier = fields.nullableNumber('attention_multiplier', POSITIVE.width);
  const underRoot = fields.nullableNumber('query_pre_attn_scalar', POSITIVE.width);
  const own = source.defaults?.softmax;
  const root = underRoot ?? rule.queryDim?.(source, shape) ?? own?.underRoot ?? shape.headDim;
  // A key in the config takes precedence over the class's default for another key.
  const classMultiplier = underRoot === undefined ? own?.multiplier : undefined;
  const unscaled = own?.fixed ?? multiplier ?? classMultiplier ?? 1 / Math.sqrt(root);
  const rope = global?.rope;
  if (rule.yarnMscaleSquared !== true || rope?.type !== 'yarn' || !rope.mscaleAllDim) {
    return { softmaxScale: unscaled, unscaledSoftmaxScale: unscaled };
  }
  const mscale = yarnMscale(rope.factor, rope.mscaleAllDim);
  return { softmaxScale: unscaled * mscale * mscale, unscaledSoftmaxScale: unscaled };
}

/** What the layer groups of a model are made from. */
interface GroupInput {
  readonly shape: Shape;
  /** One type per layer. */
  readonly types: readonly string[];
  readonly blocks: ReadonlyMap<string, RopeBlock | null>;
  readonly layersWithoutRope: readonly number[];
}

/** A layer group, and the original window that its block gives, in tokens. */
interface ReadGroup {
  readonly layerGroup: LayerGroup;
  readonly originalMaxPositions: number | undefined;
}

/**
 * Groups the layers that share a type, and so a rotary table and a span. The global group comes
 * first.
 *
 * If a config names no rotating layer at all (a hybrid whose list was left out), its table is kept
 * in a group without layers.
 */
function groupLayers(
  source: Source,
  rules: DecoderRules,
  input: GroupInput,
): Read<readonly ReadGroup[]> {
  const { types, blocks } = input;
  const skipped = new Set(input.layersWithoutRope);
  const byType = new Map<string, number[]>();
  types.forEach((type, layer) => {
    if (!attends(type) || skipped.has(layer)) return;
    byType.set(type, [...(byType.get(type) ?? []), layer]);
  });
  if (byType.size > BOUNDS.layerTypes) {
    fail(
      'out_of_range',
      source.fields.at('layer_types'),
      `names ${byType.size} types of layer; ${BOUNDS.layerTypes} are read`,
    );
  }
  if (rules.keepEmptyGroups === true) {
    for (const type of blocks.keys()) if (!byType.has(type)) byType.set(type, []);
  }
  if (byType.size === 0) {
    const first = [...blocks].find(([, block]) => block !== null)?.[0] ?? 'full_attention';
    byType.set(first, []);
  }
  const findings: Finding[] = [];
  const groups = [...byType].map(([type, layers]) =>
    take(findings, readGroup(source, rules, input, type, layers)),
  );
  findings.push(...localStretch(source, input.shape, groups));
  const locality = ({ layerGroup }: ReadGroup): number => Number(layerGroup.span.kind !== 'global');
  return { value: groups.toSorted((a, b) => locality(a) - locality(b)), findings };
}

function readGroup(
  source: Source,
  rules: DecoderRules,
  { shape, blocks }: GroupInput,
  layerType: string,
  layers: readonly number[],
): Read<ReadGroup> {
  const block = blocks.get(layerType);
  if (block === undefined || block === null) {
    fail('missing_field', 'rope_parameters', `has no block for ${layerType} layers`);
  }
  const headDim = rules.headDimOf?.(source, layerType, shape) ?? shape.headDim;
  const kvHeads = rules.kvHeadsOf?.(source, layerType, shape) ?? shape.kvHeads;
  const { rope, unscaled, originalMaxPositions, findings } = readScaling(block, {
    modelType: source.modelType,
    headDim,
    usesPartial: rules.usesPartial ?? source.defaults?.usesPartial ?? source.defaults === undefined,
    maxPositions: shape.maxPositions,
    maxPositionsGiven: shape.maxPositionsGiven,
  });
  const window = rules.window?.(source, layerType) ?? slidingWindow(source);
  const { partial } = block;
  const group: ReadGroup = {
    layerGroup: {
      layerType,
      layers,
      span: (rules.spanOf ?? spanOf)(layerType, window, shape.maxPositions),
      rope,
      unscaled,
      ...(rules.scalable?.(layerType) === false && { scalable: false }),
      ...(partial !== undefined && partial !== 1 && { partialRotaryFactor: partial }),
      ...(headDim !== shape.headDim && { headDim }),
      ...(kvHeads !== shape.kvHeads && { kvHeads }),
    },
    originalMaxPositions: originalMaxPositions ?? writtenOriginal(block),
  };
  return { value: group, findings };
}

/** The original window even if the rope type does not read it: it shows what was trained. */
function writtenOriginal(block: RopeBlock): number | undefined {
  if (block.outerOriginal !== undefined) return block.outerOriginal;
  const inner = block.fields.raw('original_max_position_embeddings');
  return typeof inner === 'number' && Number.isInteger(inner) && inner > 0 ? inner : undefined;
}

/**
 * Returns `sliding_window` in tokens, including the token itself. An explicit null switches the
 * window off; without the key, the class default applies.
 */
export function slidingWindow(source: Source): number | undefined {
  const { fields } = source;
  // RecurrentGemma uses another name for it.
  const key = fields.has('attention_window_size') ? 'attention_window_size' : 'sliding_window';
  const value = fields.nullableInteger(key, { min: 0, max: BOUNDS.positions });
  const window = fields.has(key) ? value : source.defaults?.window;
  if (window === undefined || window === 0) return undefined;
  return source.defaults?.windowIsRadius === true ? window + 1 : window;
}

/** The sliding window; undefined where it covers the context, as in Phi-3 128k. */
export function narrowWindow(source: Source, { maxPositions }: Shape): number | undefined {
  const window = slidingWindow(source);
  return window !== undefined && window < maxPositions ? window : undefined;
}

/** Layer types of a model whose `sliding_window` applies to every layer. */
export const allSlidingTypes: LayerTypes = (source, length, shape) => {
  const type = narrowWindow(source, shape) === undefined ? 'full_attention' : 'sliding_attention';
  return Array.from({ length }, () => type);
};

/** Reports a scaling on layers that never look beyond their window: they gain no length. */
function localStretch(
  source: Source,
  { hiddenSize }: Shape,
  groups: readonly ReadGroup[],
): readonly Finding[] {
  return groups.flatMap(({ layerGroup: { layerType, layers, span, rope } }) => {
    if (span.kind === 'global' || rope.type === 'default' || rope.type === 'proportional')
      return [];
    // dynamic and longrope follow the sequence length, and they change local layers all the same.
    const trained = trainedIn(rope, { modelType: source.modelType, hiddenSize }) !== undefined;
    const args = {
      type: rope.type,
      layers: layers.length,
      span: span.kind === 'chunked' ? ('chunked' as const) : ('sliding-window' as const),
      window: span.window,
      trained,
    };
    return [finding('local_stretch', layerType, args, trained ? 'notice' : 'warning')];
  });
}

type LayerTypes = (source: Source, layers: number, shape: Shape) => readonly string[];

/** What a dialect may define differently from a plain decoder. Every member is optional. */
export interface DecoderRules {
  readonly shape?: ShapeRules;
  /** How the one block of all layers is read. */
  readonly flat?: FlatRules;
  /** Reads the one block of all layers; default: by `flat`. */
  readonly block?: (source: Source, shape: Shape) => Read<RopeBlock>;
  /** The blocks by layer type; null = layers of this type do not rotate. */
  readonly blocks?: (
    source: Source,
    types: readonly string[],
    shape: Shape,
  ) => Read<ReadonlyMap<string, RopeBlock | null>>;
  /** The type of each layer, whatever `layer_types` says. */
  readonly layerTypes?: LayerTypes;
  /** The type of each layer of a config without `layer_types`. */
  readonly unlistedTypes?: LayerTypes;
  /** Indices of attention layers without RoPE. */
  readonly withoutRope?: (source: Source, types: readonly string[]) => readonly number[];
  /** The local window in tokens, if it is not `sliding_window`. */
  readonly window?: (source: Source, layerType: string) => number | undefined;
  /** How far layers of a type look, if the name of the type does not determine it. */
  readonly spanOf?: typeof spanOf;
  /** head_dim by layer type, if types differ (Gemma 4). */
  readonly headDimOf?: (source: Source, layerType: string, shape: Shape) => number;
  /** Key and value heads by layer type, if types differ. */
  readonly kvHeadsOf?: (source: Source, layerType: string, shape: Shape) => number;
  /** Whether a scaling in the config reaches layers of a type; default: it reaches all. */
  readonly scalable?: (layerType: string) => boolean;
  /** Whether tables that no layer uses are shown nevertheless. */
  readonly keepEmptyGroups?: boolean;
  readonly softmax?: SoftmaxRule;
  /** Default: from `llama_4_scaling_beta` in the block. */
  readonly queryScaling?: (source: Source) => PlacedScaling | undefined;
  readonly latent?: (source: Source) => AttentionShape['latent'];
  readonly layout?: 'half' | 'interleaved';
  readonly usesPartial?: boolean;
  /** Further findings about a config of this family. */
  readonly findings?: (source: Source) => readonly Finding[];
}

/**
 * Makes the dialect of a family that is read as a decoder.
 *
 * @param rules the same for every config, or by what a config has
 */
export function dialect(
  about: Omit<Dialect, 'read'>,
  rules: DecoderRules | ((source: Source) => DecoderRules) = {},
): Dialect {
  const rulesOf = typeof rules === 'function' ? rules : () => rules;
  return Object.freeze({
    ...about,
    read: (source: Source) => readDecoder(source, rulesOf(source)),
  });
}

/**
 * Reads a model by the rules of a plain decoder (LLaMA), except where the dialect overrides them.
 *
 * @throws RopeEvalError for values that have no meaning; see docs/dialects.md
 */
export function readDecoder(source: Source, rules: DecoderRules = {}): ModelGeometry {
  const findings: Finding[] = [];
  const shape = take(findings, readShape(source, rules.shape));
  findings.push(...(rules.findings?.(source) ?? []));
  const types = typesOf(source, rules)(source, shape.layers, shape);
  const blocks = take(findings, blocksOf(source, rules, types, shape));
  const layersWithoutRope = skipped(source, rules, types, blocks);
  if (!types.some(attends)) {
    const path = source.fields.at('layer_types');
    findings.push(finding('no_attention_layers', path, { model: source.modelType }));
  }
  const input = { shape, types, blocks, layersWithoutRope };
  const groups = take(findings, groupLayers(source, rules, input));
  const latent = rules.latent?.(source);
  const queryScaling =
    rules.queryScaling === undefined
      ? take(findings, scalingOfQueries(source, shape, [...blocks.values()]))
      : rules.queryScaling(source);
  if (queryScaling !== undefined) findings.push(wordedScaling(shape, queryScaling));
  const global = groups[0]?.layerGroup;
  const layersWithoutAttention = types.flatMap((type, layer) => (attends(type) ? [] : [layer]));
  return {
    modelType: source.modelType,
    architecture: source.architecture,
    layout: layoutOf(source, rules),
    maxPositions: shape.maxPositions,
    originalMaxPositions: groups.find((group) => group.originalMaxPositions !== undefined)
      ?.originalMaxPositions,
    groups: groups.map((group) => group.layerGroup),
    layersWithoutRope,
    ...(layersWithoutAttention.length > 0 && { layersWithoutAttention }),
    ...(isBidirectional(source) && { bidirectional: true }),
    ...softmaxScales(source, shape, global, rules.softmax),
    ...(rules.softmax?.yarnMscaleSquared === true && { softmaxFollowsYarn: true }),
    ...(queryScaling !== undefined && { queryScaling: queryScaling.scaling }),
    attention: {
      layers: types.filter(attends).length || shape.layers,
      heads: shape.heads,
      kvHeads: shape.kvHeads,
      headDim: shape.headDim,
      hiddenSize: shape.hiddenSize,
      ...(latent !== undefined && { latent }),
    },
    findings,
  };
}

/** A query scaling, and the key that switches it on. */
export interface PlacedScaling {
  readonly scaling: QueryScaling;
  readonly path: string;
}

function wordedScaling({ maxPositions }: Shape, { scaling, path }: PlacedScaling): Finding {
  const { scale, window, offset, layers } = scaling;
  const at = maxPositions - 1;
  const factor = 1 + scale * Math.log(1 + Math.floor((at + offset) / window));
  const args = { scale, window, at, factor: Number(factor.toFixed(4)), layers };
  return finding('query_scaling', path, args);
}

/** Classes whose attention multiplies by a beta and fails if the block has none. */
const SCALES_QUERIES = ['ministral3', 'mistral4'];

/** Ministral 3: with every original window that is passed, queries grow by this beta. */
function scalingOfQueries(
  source: Source,
  { maxPositions }: Shape,
  blocks: readonly (RopeBlock | null)[],
): Read<PlacedScaling | undefined> {
  const fields = blocks.find((block) => block !== null)?.fields;
  if (fields === undefined) return { value: undefined, findings: [] };
  const key = 'llama_4_scaling_beta';
  const scale = fields.nullableNumber(key, { min: 0, max: BOUNDS.scale });
  if (scale === undefined) {
    const { modelType: model } = source;
    const args = { model, version: TRANSFORMERS_VERSION, fault: 'beta_is_none' as const };
    const stops = SCALES_QUERIES.includes(model);
    return {
      value: undefined,
      findings: stops ? [finding('class_fault', fields.at(key), args)] : [],
    };
  }
  const original = fields.nullableInteger('original_max_position_embeddings', POSITIVE.tokens);
  const window = original ?? maxPositions;
  const value = {
    scaling: { scale, window, offset: 0, layers: 'all' },
    path: fields.at(key),
  } as const;
  return { value, findings: [] };
}

/** Returns how the dimensions of a pair lie in a head. DeepSeek's classes let the config choose. */
function layoutOf(source: Source, rules: DecoderRules): ModelGeometry['layout'] {
  const layout = rules.layout ?? source.defaults?.layout ?? 'half';
  if (rules.latent === undefined || layout === 'half') return layout;
  return source.fields.nullableBoolean('rope_interleave') === false ? 'half' : layout;
}

function typesOf(source: Source, { layerTypes: always, unlistedTypes }: DecoderRules): LayerTypes {
  const unlisted = unlistedTypes !== undefined && !source.fields.given('layer_types');
  return always ?? (unlisted ? unlistedTypes : layerTypes);
}

/** Reads the blocks by layer type. A single block applies to every type that attends. */
function blocksOf(
  source: Source,
  rules: DecoderRules,
  types: readonly string[],
  shape: Shape,
): Read<ReadonlyMap<string, RopeBlock | null>> {
  if (rules.blocks !== undefined) return rules.blocks(source, types, shape);
  const { value, findings } = rules.block?.(source, shape) ?? flatBlock(source, rules.flat);
  const labels = new Set([...types.filter(attends), 'full_attention']);
  return { value: new Map([...labels].map((label) => [label, value])), findings };
}

/** The attention layers without RoPE: those that the family lists, or whose block is null. */
function skipped(
  source: Source,
  rules: DecoderRules,
  types: readonly string[],
  blocks: ReadonlyMap<string, RopeBlock | null>,
): readonly number[] {
  const listed = new Set(rules.withoutRope?.(source, types));
  return types.flatMap((type, layer) =>
    attends(type) && (listed.has(layer) || blocks.get(type) === null) ? [layer] : [],
  );
}

import { finding } from '../finding-catalogue/index.js';
import { type FlatRules, flatBlock } from './block.js';
import { groupLayers } from './groups.js';
import { isBidirectional } from './encoders.js';
import { attends, layerTypes } from './layers.js';
import { type RopeBlock } from './scaling.js';
import { readShape, type ShapeRules, USUAL_KEYS } from './shape.js';
import { softmaxScales, type SoftmaxRule } from './softmax.js';
import type { Shape, Source } from './source.js';
import type { AttentionShape, ModelGeometry } from './types.js';

/** What a dialect may say differently from a plain decoder. Every member is optional. */
export interface DecoderRules {
  readonly shape?: Partial<ShapeRules>;
  readonly flat?: FlatRules;
  /** The blocks by layer type; null = layers of this type do not rotate. */
  readonly blocks?: (
    source: Source,
    types: readonly string[],
    shape: Shape,
  ) => ReadonlyMap<string, RopeBlock | null>;
  readonly layerTypes?: (source: Source, layers: number, shape: Shape) => readonly string[];
  /** Indices of attention layers without RoPE. */
  readonly withoutRope?: (source: Source, types: readonly string[]) => readonly number[];
  /** Local window in tokens, where it is not `sliding_window`. */
  readonly window?: (source: Source, layerType: string) => number | undefined;
  /** head_dim of one layer type, where types differ (Gemma 4). */
  readonly headDimOf?: (source: Source, layerType: string, shape: Shape) => number;
  /** Key and value heads of one layer type, where types differ. */
  readonly kvHeadsOf?: (source: Source, layerType: string, shape: Shape) => number;
  /** Whether a scaling in the config reaches layers of a type; default all. */
  readonly scalable?: (layerType: string) => boolean;
  /** Whether tables that no layer uses are shown all the same. */
  readonly keepEmptyGroups?: boolean;
  readonly softmax?: SoftmaxRule;
  readonly latent?: (source: Source) => AttentionShape['latent'];
  readonly layout?: 'half' | 'interleaved';
  readonly usesPartial?: boolean;
}

/**
 * Reads a model by the rules of a plain decoder (LLaMA), as far as the dialect does not say
 * otherwise.
 *
 * @throws RopeEvalError for what has no meaning; see docs/dialects.md
 */
export function readDecoder(source: Source, rules: DecoderRules = {}): ModelGeometry {
  const shape = readShape(source, { keys: USUAL_KEYS, ...rules.shape });
  const types = (rules.layerTypes ?? layerTypes)(source, shape.layers, shape);
  const blocks = blocksOf(source, rules, types, shape);
  const layersWithoutRope = skipped(source, rules, types, blocks);
  const groups = groupLayers(source, rules, { shape, types, blocks, layersWithoutRope });
  const latent = rules.latent?.(source);
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
    attention: {
      layers: types.filter(attends).length || shape.layers,
      heads: shape.heads,
      kvHeads: shape.kvHeads,
      headDim: shape.headDim,
      hiddenSize: shape.hiddenSize,
      ...(latent !== undefined && { latent }),
    },
    findings: source.findings,
  };
}

/** How pairs lie in a head; DeepSeek's classes let a config say so. */
function layoutOf(source: Source, rules: DecoderRules): ModelGeometry['layout'] {
  const layout = rules.layout ?? source.defaults?.layout ?? 'half';
  if (rules.latent === undefined || layout === 'half') return layout;
  return source.fields.nullableBoolean('rope_interleave') === false ? 'half' : layout;
}

function blocksOf(
  source: Source,
  rules: DecoderRules,
  types: readonly string[],
  shape: Shape,
): ReadonlyMap<string, RopeBlock | null> {
  if (rules.blocks !== undefined) return rules.blocks(source, types, shape);
  const block = flatBlock(source, rules.flat);
  return new Map([...new Set([...types.filter(attends), 'full_attention'])].map((t) => [t, block]));
}

/** Attention layers without RoPE: the family's list, and types whose block is null. */
function skipped(
  source: Source,
  rules: DecoderRules,
  types: readonly string[],
  blocks: ReadonlyMap<string, RopeBlock | null>,
): readonly number[] {
  const listed = new Set(rules.withoutRope?.(source, types));
  const indices = types.flatMap((type, layer) =>
    attends(type) && (listed.has(layer) || blocks.get(type) === null) ? [layer] : [],
  );
  if (!types.some(attends)) {
    source.findings.push(
      finding('no_attention_layers', source.fields.at('layer_types'), { model: source.modelType }),
    );
  }
  return indices;
}

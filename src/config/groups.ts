import { finding } from '../finding-catalogue/index.js';
import type { DecoderRules } from './decoder.js';
import { BOUNDS } from './bounds.js';
import { fail } from './fail.js';
import { attends, spanOf } from './layers.js';
import { type RopeBlock, readScaling } from './scaling.js';
import type { Shape, Source } from './source.js';
import { trainedInRow } from './trained-in.js';
import type { LayerGroup } from './types.js';

export interface GroupInput {
  readonly shape: Shape;
  /** One type per layer. */
  readonly types: readonly string[];
  readonly blocks: ReadonlyMap<string, RopeBlock | null>;
  readonly layersWithoutRope: readonly number[];
}

/** A group, and the original window that its block writes. */
export interface ReadGroup {
  readonly layerGroup: LayerGroup;
  readonly originalMaxPositions: number | undefined;
}

/**
 * Layers that share a type, hence a rotary table and a span; the global group first.
 *
 * A config may name no rotating layer at all (a hybrid whose list was left out); its table is then
 * kept in a group of no layers.
 */
export function groupLayers(
  source: Source,
  rules: DecoderRules,
  input: GroupInput,
): readonly ReadGroup[] {
  const { types, blocks } = input;
  const skipped = new Set(input.layersWithoutRope);
  const byType = new Map<string, number[]>();
  types.forEach((type, layer) => {
    if (!attends(type) || skipped.has(layer)) return;
    byType.set(type, [...(byType.get(type) ?? []), layer]);
  });
  if (rules.keepEmptyGroups === true) {
    for (const type of blocks.keys()) if (!byType.has(type)) byType.set(type, []);
  }
  if (byType.size === 0) {
    const first = [...blocks].find(([, block]) => block !== null)?.[0] ?? 'full_attention';
    byType.set(first, []);
  }
  const groups = [...byType].map(([type, layers]) => readGroup(source, rules, input, type, layers));
  reportLocalStretch(source, groups);
  const locality = ({ layerGroup }: ReadGroup): number => Number(layerGroup.span.kind !== 'global');
  return groups.toSorted((a, b) => locality(a) - locality(b));
}

function readGroup(
  source: Source,
  rules: DecoderRules,
  { shape, blocks }: GroupInput,
  layerType: string,
  layers: readonly number[],
): ReadGroup {
  const block = blocks.get(layerType);
  if (block === undefined || block === null) {
    fail('missing_field', 'rope_parameters', `has no block for ${layerType} layers`);
  }
  const headDim = rules.headDimOf?.(source, layerType, shape) ?? shape.headDim;
  const kvHeads = rules.kvHeadsOf?.(source, layerType, shape) ?? shape.kvHeads;
  const { rope, unscaled, originalMaxPositions } = readScaling(block, {
    modelType: source.modelType,
    headDim,
    usesPartial: rules.usesPartial ?? source.defaults?.usesPartial ?? source.defaults === undefined,
    maxPositions: shape.maxPositions,
    maxPositionsGiven: shape.maxPositionsGiven,
    findings: source.findings,
  });
  const window = rules.window?.(source, layerType) ?? slidingWindow(source);
  return {
    layerGroup: {
      layerType,
      layers,
      span: spanOf(layerType === 'main' ? 'sliding' : layerType, window, shape.maxPositions),
      rope,
      unscaled,
      ...(rules.scalable?.(layerType) === false && { scalable: false }),
      ...(headDim !== shape.headDim && { headDim }),
      ...(kvHeads !== shape.kvHeads && { kvHeads }),
    },
    originalMaxPositions: originalMaxPositions ?? writtenOriginal(block),
  };
}

/** An original window that the rope type does not read still says what was trained. */
function writtenOriginal(block: RopeBlock): number | undefined {
  if (block.outerOriginal !== undefined) return block.outerOriginal;
  const inner = block.fields.raw('original_max_position_embeddings');
  return typeof inner === 'number' && Number.isInteger(inner) && inner > 0 ? inner : undefined;
}

/**
 * `sliding_window`, the token itself included; an explicit null switches it off, a missing key takes
 * the class default.
 */
export function slidingWindow(source: Source): number | undefined {
  const { fields } = source;
  // RecurrentGemma's name for it.
  const key = fields.has('attention_window_size') ? 'attention_window_size' : 'sliding_window';
  const value = fields.nullableInteger(key, { min: 0, max: BOUNDS.positions });
  const window = fields.has(key) ? value : source.defaults?.window;
  if (window === undefined || window === 0) return undefined;
  return source.defaults?.windowIsRadius === true ? window + 1 : window;
}

/** A window that a layer can tell from none: Phi-3 128k has one that is longer than its context. */
export function narrowWindow(source: Source, { maxPositions }: Shape): number | undefined {
  const window = slidingWindow(source);
  return window !== undefined && window < maxPositions ? window : undefined;
}

/** `sliding_window` holds for every layer, and no list gives the layers a name. */
export function allSlidingTypes(source: Source, layers: number, shape: Shape): readonly string[] {
  const type = narrowWindow(source, shape) === undefined ? 'full_attention' : 'sliding_attention';
  return Array.from({ length: layers }, () => type);
}

/** A factor on layers that never look beyond their window is a pure loss. */
function reportLocalStretch(source: Source, groups: readonly ReadGroup[]): void {
  for (const { layerGroup: group } of groups) {
    const { span, rope } = group;
    if (span.kind === 'global' || rope.type === 'default' || rope.type === 'proportional') continue;
    // dynamic and longrope follow the sequence length, and reach local layers all the same.
    const trained = trainedInRow(rope.type, source.modelType) !== undefined;
    const args = {
      type: rope.type,
      layers: group.layers.length,
      span: span.kind === 'chunked' ? 'chunked' : 'sliding-window',
      window: span.window,
      trained,
    };
    source.findings.push(
      finding('local_stretch', group.layerType, args, trained ? 'notice' : 'warning'),
    );
  }
}

import { option, RopeEvalError, words } from '../errors.js';
import { BOUNDS } from '../json/bounds.js';
import type { RopeSpec } from '../rope/registry.js';
import { type Evidence, trainedIn, untrainedWindow } from './evidence.js';
import type { LayerGroup, ModelGeometry, Reference, ReferenceKind } from './types.js';

/**
 * What the user says about the training of the weights; absent members are derived from the config.
 */
export interface ReferenceOptions {
  readonly reference?: ReferenceKind;
  /** Tokens. */
  readonly trainedWindow?: number;
}

/**
 * Decides what the weights were trained with, and on how many tokens.
 *
 * A scaling counts as trained in only if `TRAINED_IN` has evidence for it. Any other scaling is an
 * overlay; its trained window is the original window if the config gives one, else
 * max_position_embeddings. The user's options take precedence. `alternative` is the other reading,
 * if it differs.
 *
 * @throws RopeEvalError `out_of_range` for a trained window that is not a valid length
 */
export function chooseReference(model: ModelGeometry, options: ReferenceOptions = {}): Reference {
  const guess = guessReference(model);
  const { reference, trainedWindow } = options;
  if (reference === undefined && trainedWindow === undefined) return guess;
  const kind = reference ?? guess.kind;
  const window = trainedWindow ?? windowOf(model, kind);
  if (!Number.isInteger(window) || window < 1 || window > BOUNDS.positions) {
    throw new RopeEvalError('out_of_range', {
      option: 'trainedWindow',
      problem: `must be a whole number of tokens, found ${window}`,
    });
  }
  return { kind, trainedWindow: window, evidence: 'option' };
}

function guessReference(model: ModelGeometry): Reference {
  const scaled = model.groups.find(isScaled);
  if (scaled === undefined) {
    return {
      kind: 'unscaled',
      trainedWindow: windowOf(model, 'unscaled'),
      evidence: 'no-scaling',
    };
  }
  const evidence = evidenceOf(model);
  const kind = evidence === undefined ? 'unscaled' : 'configured';
  const other = evidence === undefined ? 'configured' : 'unscaled';
  const reference = {
    kind,
    trainedWindow: windowOf(model, kind),
    evidence: evidence?.key ?? 'overlay',
  } as const;
  // Proportional RoPE with factor 1 has no scaling to remove, so both readings agree.
  const sameRope = JSON.stringify(scaled.rope) === JSON.stringify(scaled.unscaled);
  if (sameRope) return reference;
  return { ...reference, alternative: { kind: other, trainedWindow: windowOf(model, other) } };
}

function evidenceOf(model: ModelGeometry): Evidence | undefined {
  const scaled = model.groups.find(isScaled);
  const facts = { modelType: model.modelType, hiddenSize: model.attention.hiddenSize };
  return scaled && trainedIn(scaled.rope, facts);
}

/** Returns the trained window of a reading, capped at the longest that the evidence covers. */
function windowOf(model: ModelGeometry, kind: Reference['kind']): number {
  const { maxPositions, originalMaxPositions = maxPositions } = model;
  if (!model.groups.some(isScaled)) {
    const known = model.trainedPositions ?? untrainedWindow(model.modelType) ?? maxPositions;
    return Math.min(known, maxPositions);
  }
  if (kind === 'unscaled') return Math.min(originalMaxPositions, maxPositions);
  return Math.min(evidenceOf(model)?.maxPositions ?? maxPositions, maxPositions);
}

/** Whether a block changes any layer of a model. */
export function hasScaling(model: ModelGeometry): boolean {
  return model.groups.some(isScaled);
}

/** Whether a block changes this group; `default` means that none does. */
function isScaled(group: LayerGroup): boolean {
  return group.rope.type !== 'default';
}

/** Returns the frequencies that the weights of a group were trained with. */
export function referenceRope(group: LayerGroup, reference: Pick<Reference, 'kind'>): RopeSpec {
  return reference.kind === 'configured' ? group.rope : group.unscaled;
}

/**
 * Returns what the weights of each group of `model` were trained with.
 *
 * @param before the config before a change, from which the reference was taken; without a change,
 *   the model itself
 * @returns (groups of `model`)
 */
export function referenceSpecs(
  model: ModelGeometry,
  before: ModelGeometry,
  reference: Pick<Reference, 'kind'>,
): readonly RopeSpec[] {
  return model.groups.map((group, index) =>
    referenceRope(groupBefore(group, index, before), reference),
  );
}

/** Returns the group of the config before a change that corresponds to a group after it. */
export function groupBefore(group: LayerGroup, index: number, before: ModelGeometry): LayerGroup {
  const same = before.groups.find(({ layerType }) => layerType === group.layerType);
  return same ?? before.groups[index] ?? group;
}

/** Returns the multiplier on q·k that the weights were trained with. */
export function referenceSoftmaxScale(
  model: ModelGeometry,
  reference: Pick<Reference, 'kind'>,
): number {
  return reference.kind === 'configured' ? model.softmaxScale : model.unscaledSoftmaxScale;
}

/**
 * Returns the tokens that the layers of a group saw in training. A sliding or chunked layer never
 * sees a distance beyond its window, however long the sequence.
 */
export function trainedWindowOf(
  group: LayerGroup,
  reference: Pick<Reference, 'trainedWindow'>,
): number {
  return group.span.kind === 'global'
    ? reference.trainedWindow
    : Math.min(group.span.window, reference.trainedWindow);
}

/**
 * Chooses the reference of a config by the one before a change, which may be the config itself.
 *
 * @throws RopeEvalError `no_effect` where the option says that the weights were trained with a
 *   scaling, and the config before the change has none
 */
export function referenceBefore(
  model: ModelGeometry,
  before: ModelGeometry,
  options: ReferenceOptions = {},
): Reference {
  if (model !== before && options.reference === 'configured' && !hasScaling(before)) {
    throw new RopeEvalError('no_effect', {
      option: 'reference',
      value: 'configured',
      predicate: words`has no effect beside ${option('base')}: the config before the change has no scaling that the weights could have been trained with`,
      hint: words`If they were trained with the scaling that the config has now, leave ${option('base')} out: it is judged by its own reading then.`,
    });
  }
  return chooseReference(before, options);
}

/**
 * Refuses a base with another rotary dimension, because tables of different widths cannot be
 * compared.
 *
 * @throws RopeEvalError `not_comparable` (exit 3)
 */
export function assertSameHeads(model: ModelGeometry, before: ModelGeometry): void {
  model.groups.forEach((group, index) => {
    const [was, now] = [groupBefore(group, index, before), group].map((g) => g.rope.rotaryDim);
    if (was === now) return;
    throw new RopeEvalError('not_comparable', {
      option: 'base',
      predicate: `rotates ${was} dimensions of a head, this one ${now} (${group.layerType} layers): the two are not configs of the same weights`,
      hint: 'Compare head_dim, hidden_size / num_attention_heads and partial_rotary_factor of the two; the base is the config from before a change.',
    });
  });
}

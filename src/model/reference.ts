import { RopeEvalError } from '../errors.js';
import { BOUNDS } from '../json/bounds.js';
import type { RopeSpec } from '../rope/registry.js';
import { type Evidence, trainedIn, untrainedWindow } from './evidence.js';
import type { LayerGroup, ModelGeometry, Reference, ReferenceKind } from './types.js';

export interface ReferenceOptions {
  readonly reference?: ReferenceKind;
  /** Tokens. */
  readonly trainedWindow?: number;
}

/**
 * What the weights were trained with, and on how many tokens.
 *
 * A scaling counts as trained in only where `TRAINED_IN` has evidence; every other one is an
 * overlay, whose trained window is the original window if given, else max_position_embeddings.
 * What the user says wins. `alternative` is the other reading, where it differs.
 *
 * @throws RopeEvalError `out_of_range` for a trained window that is no length
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
  // Proportional RoPE with factor 1 has nothing to take away: both readings agree.
  const sameRope = JSON.stringify(scaled.rope) === JSON.stringify(scaled.unscaled);
  if (sameRope) return reference;
  return { ...reference, alternative: { kind: other, trainedWindow: windowOf(model, other) } };
}

function evidenceOf(model: ModelGeometry): Evidence | undefined {
  const scaled = model.groups.find(isScaled);
  const facts = { modelType: model.modelType, hiddenSize: model.attention.hiddenSize };
  return scaled && trainedIn(scaled.rope, facts);
}

/** The window that belongs to a reading: no longer than evidence says. */
function windowOf(model: ModelGeometry, kind: Reference['kind']): number {
  const { maxPositions, originalMaxPositions = maxPositions } = model;
  if (!model.groups.some(isScaled)) {
    const known = model.trainedPositions ?? untrainedWindow(model.modelType) ?? maxPositions;
    return Math.min(known, maxPositions);
  }
  if (kind === 'unscaled') return Math.min(originalMaxPositions, maxPositions);
  return Math.min(evidenceOf(model)?.maxPositions ?? maxPositions, maxPositions);
}

/** Whether a block changes this group; `default` is no scaling. */
function isScaled(group: LayerGroup): boolean {
  return group.rope.type !== 'default';
}

/** The frequencies that the weights of a group were trained with. */
export function referenceRope(group: LayerGroup, reference: Pick<Reference, 'kind'>): RopeSpec {
  return reference.kind === 'configured' ? group.rope : group.unscaled;
}

/**
 * What the weights of each group of `model` were trained with.
 *
 * @param before the config from before a change, which the reference was taken from; without a
 *   change the model itself
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

/** The group of the config before a change that a group of the present one was. */
export function groupBefore(group: LayerGroup, index: number, before: ModelGeometry): LayerGroup {
  const same = before.groups.find(({ layerType }) => layerType === group.layerType);
  return same ?? before.groups[index] ?? group;
}

/** The multiplier on q·k that the weights were trained with. */
export function referenceSoftmaxScale(
  model: ModelGeometry,
  reference: Pick<Reference, 'kind'>,
): number {
  return reference.kind === 'configured' ? model.softmaxScale : model.unscaledSoftmaxScale;
}

/**
 * Tokens that the layers of a group saw in training: a sliding or chunked layer never meets a
 * distance beyond its window, however long the sequence.
 */
export function trainedWindowOf(
  group: LayerGroup,
  reference: Pick<Reference, 'trainedWindow'>,
): number {
  return group.span.kind === 'global'
    ? reference.trainedWindow
    : Math.min(group.span.window, reference.trainedWindow);
}

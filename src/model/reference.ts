import { RopeEvalError } from '../errors.js';
import { BOUNDS } from '../json/bounds.js';
import type { RopeSpec, RopeType } from '../rope/registry.js';
import type { LayerGroup, ModelGeometry, Reference, ReferenceKind } from './types.js';

/** One reason to believe that a scaling is part of what the weights were trained with. */
export interface TrainedInRow {
  /** Key that a report cites. */
  readonly key: string;
  readonly ropeType: RopeType;
  /** Model types for which it holds; `any` = whoever writes this rope type. */
  readonly modelTypes: readonly string[] | 'any';
  /** What is known, and where it is written. */
  readonly source: string;
}

/**
 * Which scalings were trained in. Everything else is an overlay: the numbers of a config cannot
 * tell the two apart, and a gate that guessed "trained in" would pass the very edit that it is
 * there to stop. Of two rows that fit, the first counts.
 */
export const TRAINED_IN: readonly TrainedInRow[] = Object.freeze([
  {
    key: 'llama4',
    ropeType: 'llama3',
    modelTypes: ['llama4_text', 'llama4'],
    source:
      "published with Llama 4; Meta's announcement (April 2025) gives 256K tokens of training and " +
      'leaves the rest to length generalisation, so --trained-window 262144 is the cautious reading',
  },
  {
    key: 'llama3',
    ropeType: 'llama3',
    modelTypes: 'any',
    source:
      'the scaling that Llama 3.1 was published with, and later models that took it over; Grattafiori et al. 2024 (arXiv:2407.21783), section 3.4.2: long-context pre-training from 8K to 128K in six stages. The paper does not name the scaling',
  },
  {
    key: 'longrope',
    ropeType: 'longrope',
    modelTypes: 'any',
    source:
      'Ding et al. 2024 (arXiv:2402.13753): the factors are searched for one model, which is then fine-tuned with them; Phi-3 technical report (arXiv:2404.14219)',
  },
  {
    key: 'proportional',
    ropeType: 'proportional',
    modelTypes: 'any',
    source: 'Gemma 4 model classes in transformers 5: the zero tail is part of the architecture',
  },
  {
    key: 'gemma3-linear',
    ropeType: 'linear',
    modelTypes: ['gemma3_text', 'gemma3'],
    source:
      'Gemma 3 technical report (arXiv:2503.19786): models are pre-trained on 32K tokens and the global layers scaled to 128K at the end of pre-training, with a factor of 8',
  },
  {
    key: 'hunyuan-alpha',
    ropeType: 'ntk',
    modelTypes: ['hunyuan_v1_dense', 'hunyuan_v1_moe', 'hunyuan_vl_text'],
    source:
      'alpha is published with the weights and its own code reads it; Hunyuan-Large (arXiv:2411.02265) raised the base of RoPE for its long-context training. No paper states the alpha of the smaller models',
  },
  {
    key: 'deepseek-yarn',
    ropeType: 'yarn',
    modelTypes: ['deepseek_v2', 'deepseek_v3', 'deepseek_v32'],
    source:
      'DeepSeek-V2 (arXiv:2405.04434), section 3.1.4: trained further with YaRN; DeepSeek-V3 (arXiv:2412.19437), section 4.3: two phases of training with YaRN, to 32K and to 128K',
  },
  {
    key: 'kimi-yarn',
    ropeType: 'yarn',
    modelTypes: ['kimi_k2', 'kimi_k25'],
    source:
      'Kimi K2 technical report (arXiv:2507.20534): YaRN extends the window to 128K after a stage on 32K; how much was trained with it is not stated',
  },
  {
    key: 'gpt-oss-yarn',
    ropeType: 'yarn',
    modelTypes: ['gpt_oss', 'openai_privacy_filter'],
    source:
      'gpt-oss model card (arXiv:2508.10925): the context of the dense layers is extended to 131,072 tokens with YaRN; the block is the default of the class',
  },
  {
    key: 'olmo3-yarn',
    ropeType: 'yarn',
    modelTypes: ['olmo3'],
    source:
      'Olmo 3 technical report (Ai2, 2025): long-context extension stage with YaRN on full-attention layers',
  },
  {
    key: 'ministral3-yarn',
    ropeType: 'yarn',
    modelTypes: ['ministral3', 'mistral4', 'mistral_large4_text'],
    source:
      'published with the weights, and the default of the class in transformers 5; no paper was used',
  },
] satisfies readonly TrainedInRow[]);

/** The row for a rope type and a model type, if there is evidence. */
export function trainedInRow(ropeType: RopeType, modelType: string): TrainedInRow | undefined {
  return TRAINED_IN.find(
    (row) =>
      row.ropeType === ropeType && (row.modelTypes === 'any' || row.modelTypes.includes(modelType)),
  );
}

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
    return { kind: 'unscaled', trainedWindow: model.maxPositions, evidence: 'no-scaling' };
  }
  const row = trainedInRow(scaled.rope.type, model.modelType);
  const kind = row === undefined ? 'unscaled' : 'configured';
  const other = row === undefined ? 'configured' : 'unscaled';
  const reference = {
    kind,
    trainedWindow: windowOf(model, kind),
    evidence: row?.key ?? 'overlay',
  } as const;
  // Proportional RoPE with factor 1 has nothing to take away: both readings agree.
  const sameRope = JSON.stringify(scaled.rope) === JSON.stringify(scaled.unscaled);
  if (sameRope) return reference;
  return { ...reference, alternative: { kind: other, trainedWindow: windowOf(model, other) } };
}

/** The window that belongs to a reading. */
function windowOf(model: ModelGeometry, kind: Reference['kind']): number {
  if (kind === 'configured' || !model.groups.some(isScaled)) return model.maxPositions;
  return Math.min(model.originalMaxPositions ?? model.maxPositions, model.maxPositions);
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

import { option, RopeEvalError, words } from '../errors.js';
import { BOUNDS, sameValue } from '../json/parse.js';
import type { RopeSpec, RopeType } from '../rope/registry.js';
import type { LayerGroup, ModelGeometry, Reference, ReferenceKind } from './types.js';

/** What the user says about the training of the weights; the rest is derived from the config. */
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
    const trainedWindow = windowOf(model, 'unscaled');
    return { kind: 'unscaled', trainedWindow, evidence: 'no-scaling' };
  }
  const evidence = evidenceOf(model);
  const reading = (kind: ReferenceKind) => ({ kind, trainedWindow: windowOf(model, kind) });
  const reference = evidence
    ? { ...reading('configured'), evidence: evidence.key }
    : { ...reading('unscaled'), evidence: 'overlay' };
  // Proportional RoPE with factor 1 has no scaling to remove, so both readings agree.
  if (sameValue(scaled.rope, scaled.unscaled)) return reference;
  return { ...reference, alternative: reading(evidence ? 'unscaled' : 'configured') };
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

/** The values of a block that weights were published with. */
interface Published {
  /** Absent for lists of divisors, whose factor follows from the windows. */
  readonly factor?: number;
  readonly originalMaxPositions?: number;
  readonly theta?: number;
  /** The longest window in tokens that the evidence covers. */
  readonly maxPositions?: number;
  /** Width of the widest model published with it. */
  readonly hiddenAtMost?: number;
  /** Further numbers of the block that differ from the usual ones of its type. */
  readonly rest?: Readonly<Record<string, unknown>>;
  /** The ranges of the divisors in LongRoPE's lists and of its attention scaling. */
  readonly divisors?: { readonly short: Range; readonly long: Range; readonly mscale?: Range };
}

type Range = readonly [least: number, largest: number];

/** The numbers that blocks of a type are usually published with, by their names in a `RopeSpec`. */
const USUAL: Partial<Record<RopeType, Readonly<Record<string, unknown>>>> = Object.freeze({
  yarn: { betaFast: 32, betaSlow: 1, truncate: true },
  llama3: { lowFreqFactor: 1, highFreqFactor: 4 },
});

/** One reason to believe that the weights were trained with a scaling. */
export interface TrainedInRow {
  /** The key that a report cites. */
  readonly key: string;
  readonly ropeType: RopeType;
  readonly modelTypes: readonly string[];
  /** The blocks that it covers. */
  readonly published: readonly Published[];
  /** Tokens trained on before the scaling, if every model of these types was published with it. */
  readonly before?: number;
  /** What is known, and the source. */
  readonly source: string;
}

const LLAMA_31 = { originalMaxPositions: 8192, theta: 500_000, maxPositions: 131_072 } as const;

const LLAMA_4 = { originalMaxPositions: 8192, maxPositions: 10_485_760 } as const;

/** Both mscales cancel each other on cos and sin and leave the temperature to the softmax. */
const MSCALES = { mscale: 1, mscaleAllDim: 1 } as const;
const DEEPSEEK = { factor: 40, originalMaxPositions: 4096, maxPositions: 163_840 } as const;
const OLMO_3 = { factor: 8, originalMaxPositions: 8192, maxPositions: 65_536 } as const;
const KIMI = { originalMaxPositions: 4096, rest: MSCALES } as const;

/**
 * The scalings that weights were trained with. Every other scaling counts as an overlay, since the
 * numbers of a config cannot distinguish the two, and a gate that guessed "trained in" would pass
 * the very edit that it is there to stop. If two rows match, the first one counts.
 */
export const TRAINED_IN: readonly TrainedInRow[] = Object.freeze([
  {
    key: 'llama4',
    ropeType: 'llama3',
    modelTypes: ['llama4_text', 'llama4'],
    published: [
      { factor: 8, ...LLAMA_4 },
      { factor: 16, ...LLAMA_4 },
      { factor: 16, ...LLAMA_4, rest: { highFreqFactor: 1 } },
    ],
    source:
      "published with Llama 4; Meta's announcement (April 2025) gives 256K tokens of training and " +
      'leaves the rest to length generalisation, so --trained-window 262144 is the cautious reading',
  },
  {
    key: 'llama3',
    ropeType: 'llama3',
    modelTypes: ['llama', 'mllama_text_model', 'nemotron-nas'],
    published: [
      { ...LLAMA_31, factor: 8 },
      // The 1B and 3B models of Llama 3.2.
      { ...LLAMA_31, factor: 32, hiddenAtMost: 3072 },
    ],
    source:
      'the scaling that Llama 3.1 was published with, and later models that took it over; Grattafiori et al. 2024 (arXiv:2407.21783), section 3.4.2: long-context pre-training from 8K to 128K in six stages. The paper does not name the scaling',
  },
  {
    key: 'exaone-llama3',
    ropeType: 'llama3',
    modelTypes: ['exaone', 'exaone4', 'exaone_moe'],
    published: [
      { factor: 8, originalMaxPositions: 8192, maxPositions: 32_768 },
      { factor: 16, originalMaxPositions: 8192, maxPositions: 131_072 },
    ],
    source:
      'EXAONE 3.5 (arXiv:2412.04862) and 4.0 (arXiv:2507.11407) technical reports: long-context fine-tuning to 32K and 128K; the block is published with the weights',
  },
  {
    key: 'class-llama3',
    ropeType: 'llama3',
    modelTypes: ['apertus', 'apertus1p5_text', 'cwm', 'csm'],
    published: [
      { factor: 8, originalMaxPositions: 8192, maxPositions: 65_536 },
      { factor: 16, originalMaxPositions: 8192, maxPositions: 131_072 },
      {
        factor: 32,
        originalMaxPositions: 1024,
        maxPositions: 2048,
        rest: { lowFreqFactor: 0.125, highFreqFactor: 0.5 },
      },
    ],
    source: 'the default of the class in transformers 5, as published with the weights',
  },
  {
    key: 'longrope',
    ropeType: 'longrope',
    modelTypes: ['phi3', 'phi4_multimodal', 'phimoe', 'minicpm', 'minicpm3'],
    // Every model has its own lists. These are the ranges of the published ones.
    published: [
      {
        originalMaxPositions: 4096,
        maxPositions: 131_072,
        divisors: { short: [1, 4], long: [1, 66], mscale: [1, 1.25] },
      },
      {
        originalMaxPositions: 32_768,
        maxPositions: 131_072,
        divisors: { short: [0.9, 8], long: [0.9, 8] },
      },
    ],
    source:
      'Ding et al. 2024 (arXiv:2402.13753): the factors are searched for one model, which is then fine-tuned with them; Phi-3 technical report (arXiv:2404.14219)',
  },
  {
    key: 'proportional',
    ropeType: 'proportional',
    modelTypes: [
      'gemma4_text',
      'gemma4_unified_text',
      'diffusion_gemma_text',
      'embedding_gemma2_text',
    ],
    published: [{ factor: 1 }],
    source: 'Gemma 4 model classes in transformers 5: the zero tail is part of the architecture',
  },
  {
    key: 'gemma3-linear',
    ropeType: 'linear',
    modelTypes: ['gemma3_text', 'gemma3'],
    published: [{ factor: 8, maxPositions: 131_072 }],
    source:
      'Gemma 3 technical report (arXiv:2503.19786): models are pre-trained on 32K tokens and the global layers scaled to 128K at the end of pre-training, with a factor of 8',
  },
  {
    key: 'deepseek-coder-linear',
    ropeType: 'linear',
    modelTypes: ['llama'],
    published: [{ factor: 4, theta: 100_000, maxPositions: 16_384 }],
    source:
      'DeepSeek-Coder (arXiv:2401.14196), "Long Context": linear scaling by 4 and theta raised from 10,000 to 100,000, then 1,000 steps of training at 16K',
  },
  {
    key: 'hunyuan-alpha',
    ropeType: 'ntk',
    modelTypes: ['hunyuan_v1_dense', 'hunyuan_v1_moe', 'hunyuan_vl_text'],
    published: [{ rest: { alpha: 1000 } }],
    source:
      'alpha is published with the weights and its own code reads it; Hunyuan-Large (arXiv:2411.02265) raised the base of RoPE for its long-context training. No paper states the alpha of the smaller models',
  },
  {
    key: 'deepseek-yarn',
    ropeType: 'yarn',
    modelTypes: ['deepseek_v2', 'deepseek_v3', 'deepseek_v32'],
    published: [
      { ...DEEPSEEK, rest: MSCALES },
      { ...DEEPSEEK, rest: { mscale: 0.707, mscaleAllDim: 0.707 } },
    ],
    before: 4096,
    source:
      'DeepSeek-V2 (arXiv:2405.04434), section 3.1.4: trained further with YaRN; DeepSeek-V3 (arXiv:2412.19437), section 4.3: two phases of training with YaRN, to 32K and to 128K',
  },
  {
    key: 'kimi-yarn',
    ropeType: 'yarn',
    modelTypes: ['kimi_k2', 'kimi_k25'],
    published: [
      { factor: 32, maxPositions: 131_072, ...KIMI },
      { factor: 32, maxPositions: 131_072, ...KIMI, rest: { ...MSCALES, betaFast: 1 } },
      { factor: 64, maxPositions: 262_144, ...KIMI },
    ],
    before: 4096,
    source:
      'Kimi K2 technical report (arXiv:2507.20534): YaRN extends the window to 128K after a stage on 32K; how much was trained with it is not stated',
  },
  {
    key: 'gpt-oss-yarn',
    ropeType: 'yarn',
    modelTypes: ['gpt_oss', 'openai_privacy_filter'],
    published: [
      {
        factor: 32,
        originalMaxPositions: 4096,
        maxPositions: 131_072,
        rest: { truncate: false },
      },
    ],
    source:
      'gpt-oss model card (arXiv:2508.10925): the context of the dense layers is extended to 131,072 tokens with YaRN; the block is the default of the class',
  },
  {
    key: 'olmo3-yarn',
    ropeType: 'yarn',
    modelTypes: ['olmo3'],
    published: [OLMO_3, { ...OLMO_3, rest: { attentionFactor: 1.2079441541679836 } }],
    before: 8192,
    source:
      'Olmo 3 technical report (Ai2, 2025): long-context extension stage with YaRN on full-attention layers',
  },
  {
    key: 'ministral3-yarn',
    ropeType: 'yarn',
    modelTypes: ['ministral3', 'mistral4', 'mistral_large4_text'],
    published: [
      { factor: 16, originalMaxPositions: 16_384, maxPositions: 262_144, rest: MSCALES },
      { factor: 128, originalMaxPositions: 8192, maxPositions: 1_048_576, rest: MSCALES },
      {
        factor: 2048,
        originalMaxPositions: 512,
        maxPositions: 1_048_576,
        rest: { attentionFactor: 1 },
      },
    ],
    source:
      'published with the weights, and the default of the class in transformers 5; no paper was used',
  },
] satisfies readonly TrainedInRow[]);

/** What the evidence for a scaling depends on besides the scaling. */
interface ModelFacts {
  readonly modelType: string;
  readonly hiddenSize: number;
}

/** Evidence that a scaling was trained in. */
interface Evidence {
  readonly key: string;
  /** The longest window in tokens that it covers. */
  readonly maxPositions: number | undefined;
}

/**
 * Returns the evidence that the weights were trained with a scaling, if there is any. The model
 * type must match, and the values must be those that weights of that type were published with.
 */
export function trainedIn(rope: RopeSpec, model: ModelFacts): Evidence | undefined {
  for (const { key, ropeType, modelTypes, published } of TRAINED_IN) {
    if (ropeType !== rope.type || !modelTypes.includes(model.modelType)) continue;
    const same = published.find((one) => isPublished(one, rope, model));
    if (same !== undefined) return { key, maxPositions: same.maxPositions };
  }
  return undefined;
}

/**
 * Whether a scaling equals the published one in every number. If only the factor agreed, it might
 * be an edit: nobody trained with Llama 3.1's factor over other bands.
 */
function isPublished(published: Published, rope: RopeSpec, { hiddenSize }: ModelFacts): boolean {
  const { originalMaxPositions, theta, hiddenAtMost = hiddenSize, rest, divisors } = published;
  const { type, theta: found, rotaryDim, exponentDim, ...own } = rope;
  void [rotaryDim, exponentDim];
  const numbers: Record<string, unknown> = { ...own };
  const factor = published.factor ?? numbers['factor'];
  const original = originalMaxPositions ?? numbers['originalMaxPositions'];
  if (rope.type === 'longrope' && divisors !== undefined) {
    const { shortFactor, longFactor, shortMscale = 1, longMscale = 1 } = rope;
    if (!isWithin(shortFactor, divisors.short) || !isWithin(longFactor, divisors.long))
      return false;
    if (!isWithin([shortMscale, longMscale], divisors.mscale ?? [1, 1])) return false;
    for (const name of IN_RANGES) delete numbers[name];
  }
  return (
    (theta ?? found) === found &&
    hiddenSize <= hiddenAtMost &&
    sameValue(numbers, { ...USUAL[type], factor, originalMaxPositions: original, ...rest })
  );
}

/**
 * LongRoPE's fields that are compared by range and not by value. The last one is not compared,
 * since it belongs to the class and not to the block.
 */
const IN_RANGES = ['shortFactor', 'longFactor', 'shortMscale', 'longMscale', 'shortAtEveryLength'];

function isWithin(values: readonly number[], [least, largest]: Range): boolean {
  return values.every((value) => value >= least && value <= largest);
}

/**
 * Returns the tokens that weights of a model type were trained on without any scaling, if every
 * such model was published with one (DeepSeek-V3: 4,096).
 */
export function untrainedWindow(modelType: string): number | undefined {
  return TRAINED_IN.find(
    ({ modelTypes, before }) => before !== undefined && modelTypes.includes(modelType),
  )?.before;
}

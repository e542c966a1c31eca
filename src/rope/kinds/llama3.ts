import { finding } from '../../findings/index.js';
import { BOUNDS, fail, show } from '../../json/parse.js';
import {
  bandSentence,
  baseFrequencies,
  defineKind,
  type Ground,
  numberParam,
  originalWindow,
  readFactor,
  type Reading,
  refuse,
  type Refused,
  type RopeBase,
  type RopeBlock,
  type RopeTable,
  type ScalingInput,
  type ShorthandRequest,
  stretchedOriginal,
} from '../kind.js';

/** Llama 3 scaling. The two frequency factors are turns over the original window. */
export interface Llama3Spec extends RopeBase {
  readonly type: 'llama3';
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalMaxPositions: number;
}

/**
 * Computes Llama 3.1 scaling. Pairs that turn more than `highFreqFactor` times over the original
 * window keep their frequency, pairs that turn less than `lowFreqFactor` times are divided by
 * `factor`, and pairs in between are blended by their number of turns. If both factors are equal
 * (Llama 4 Scout), the band in between has no width; a pair exactly on it is divided, which avoids
 * 0 / 0.
 *
 * @returns invFreq (rotaryDim / 2,) radians per token; attention scaling 1
 * @see Llama 3.1 reference code, `apply_scaling`; Grattafiori et al. 2024, arXiv:2407.21783;
 *   transformers `_compute_llama3_parameters`
 */
export function computeLlama3(spec: Llama3Spec): RopeTable {
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions } = spec;
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  const invFreq = base.map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low || high <= low) return frequency / factor;
    const kept = (turns - low) / (high - low);
    return ((1 - kept) * frequency) / factor + kept * frequency;
  });
  return { invFreq, attentionScaling: 1 };
}

function readLlama3({ block, context, base }: ScalingInput): Reading<Llama3Spec> {
  const { fields } = block;
  const factor = readFactor(fields);
  const low = requiredTurns(block, 'low_freq_factor');
  const high = requiredTurns(block, 'high_freq_factor');
  if (high < low) {
    fail(
      'invalid_value',
      fields.at('high_freq_factor'),
      `${show(high)} is below low_freq_factor ${show(low)}`,
      'fast pairs are kept above high_freq_factor turns, slow ones are slowed below low_freq_factor',
    );
  }
  const { value: original, findings } = originalWindow(block, context);
  const max = context.maxPositions;
  return {
    rope: {
      type: 'llama3',
      ...base,
      factor: factor.value,
      lowFreqFactor: low,
      highFreqFactor: high,
      originalMaxPositions: original.tokens,
    },
    originalMaxPositions: original.given ? original.tokens : undefined,
    findings: [
      ...factor.findings,
      ...(high === low
        ? [finding('zero_width_band', fields.at('high_freq_factor'), { value: high })]
        : []),
      ...findings,
      ...(original.given && original.tokens >= max
        ? [finding('original_not_below_max', original.path, { original: original.tokens, max })]
        : []),
    ],
  };
}

function requiredTurns(block: RopeBlock, key: string): number {
  const value = block.fields.number(key, { above: 0, max: BOUNDS.positions });
  if (value === undefined) {
    fail('missing_field', block.fields.at(key), 'is required for llama3 scaling');
  }
  return value;
}

/**
 * Makes a spec. Its band is the one asked for, else that of a trained-in llama3 scaling, else Llama
 * 3.1's own, 1 to 4 turns over the original window.
 */
function makeLlama3(
  request: ShorthandRequest,
  { base, window, factor, same }: Ground<Llama3Spec>,
): Llama3Spec | Refused {
  const low = numberParam(request, 'low_freq_factor') ?? same?.lowFreqFactor ?? 1;
  const high = numberParam(request, 'high_freq_factor') ?? same?.highFreqFactor ?? 4;
  if (high < low) {
    return refuse('invalid_value', `high_freq_factor ${high} is below low_freq_factor ${low}`);
  }
  return {
    type: 'llama3',
    ...base,
    factor,
    lowFreqFactor: low,
    highFreqFactor: high,
    originalMaxPositions: window,
  };
}

export const llama3Rope = defineKind<Llama3Spec, 'llama3'>({
  type: 'llama3',
  compute: computeLlama3,
  lengthDependent: false,
  block: {
    keys: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
    read: readLlama3,
  },
  write: (spec) => ({
    rope_type: 'llama3',
    factor: spec.factor,
    low_freq_factor: spec.lowFreqFactor,
    high_freq_factor: spec.highFreqFactor,
    original_max_position_embeddings: spec.originalMaxPositions,
  }),
  shorthands: {
    llama3: { params: { low_freq_factor: 'number', high_freq_factor: 'number' }, make: makeLlama3 },
  },
  extension: ({ factor, originalMaxPositions }) => ({ factor, originalMaxPositions }),
  stretched: stretchedOriginal,
  costsLike: 'by-parts',
  sentence: ({ factor, originalMaxPositions, highFreqFactor, lowFreqFactor }) =>
    bandSentence('Llama 3 scaling', {
      factor,
      window: originalMaxPositions,
      kept: highFreqFactor,
      divided: lowFreqFactor,
      between: 'a blend',
    }),
});

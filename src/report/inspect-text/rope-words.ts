import { percent, tokens, trim } from '../format.js';
import type { InspectLayerType } from '../inspect-types.js';

/** One sentence per rope type: what it does to the frequencies. */
const WORDS: Readonly<
  Record<string, (value: (name: string) => number, layerType: InspectLayerType) => string>
> = Object.freeze({
  default: () => 'Plain RoPE: no scaling.',
  linear: (value) =>
    `Position interpolation: every frequency is divided by ${trim(value('factor'), 4)}, near tokens included.`,
  ntk: (value) =>
    `Static NTK-aware scaling with alpha ${trim(value('alpha'), 4)}: theta is raised, so the fastest ` +
    `pair keeps its frequency and the slowest is divided by alpha.`,
  dynamic: (value) =>
    `Dynamic NTK-aware scaling with factor ${trim(value('factor'), 4)}: plain RoPE up to ` +
    `${tokens(value('maxPositions'))} tokens; above, theta is recomputed from the length.`,
  yarn: (value) => {
    const window = tokens(value('originalMaxPositions'));
    const factor = trim(value('factor'), 4);
    return (
      `YaRN with factor ${factor} over ${window} tokens: pairs that make more than ` +
      `${trim(value('betaFast'), 2)} turns in ${window} tokens are left alone, those under ` +
      `${trim(value('betaSlow'), 2)} are divided by ${factor}, and a ramp joins the two.`
    );
  },
  llama3: (value) => {
    const window = tokens(value('originalMaxPositions'));
    const factor = trim(value('factor'), 4);
    return (
      `Llama 3 scaling with factor ${factor} over ${window} tokens: pairs that make more than ` +
      `${trim(value('highFreqFactor'), 2)} turns in ${window} tokens are left alone, those under ` +
      `${trim(value('lowFreqFactor'), 2)} are divided by ${factor}, and a blend joins the two.`
    );
  },
  longrope: (value) =>
    `LongRoPE: a searched divisor for each pair, from one list up to ` +
    `${tokens(value('originalMaxPositions'))} tokens and from another above.`,
  proportional: (value) => {
    const factor = value('factor');
    const divided = factor === 1 ? '' : `; the frequencies are divided by ${trim(factor, 4)}`;
    return (
      `Proportional RoPE: the first ${percent(value('partialRotaryFactor'))} of the pairs turn, ` +
      `the others stand still${divided}.`
    );
  },
});

export function ropeWords(layerType: InspectLayerType): string {
  const value = (name: string): number => {
    const found = layerType.parameters[name];
    return typeof found === 'number' ? found : 0;
  };
  const words =
    WORDS[layerType.ropeType]?.(value, layerType) ?? `RoPE of type ${layerType.ropeType}.`;
  const { attentionScaling } = layerType;
  if (attentionScaling === 1) return words;
  return (
    `${words} Cosines and sines are multiplied by ${trim(attentionScaling, 4)} (attention scaling), ` +
    `which multiplies the rotary part of q·k by ${trim(attentionScaling ** 2, 4)}.`
  );
}

/** `128 of 128 dimensions of a head turn, theta 500,000, pairs as two halves`. */
export function shapeWords({ rotaryDim, headDim, theta, layout }: InspectLayerType): string {
  const share =
    rotaryDim === headDim
      ? `All ${headDim} dimensions of a head rotate`
      : `${rotaryDim} of the ${headDim} dimensions of a head rotate`;
  const pairs =
    layout === 'half'
      ? 'dimension i is paired with the one half the width further'
      : 'neighbouring dimensions are paired';
  return `${share}, as ${rotaryDim / 2} pairs (theta ${tokens(theta)}; ${pairs}).`;
}

export function readingName(kind: 'unscaled' | 'configured', window: number): string {
  const how = kind === 'unscaled' ? 'the base frequencies' : 'the scaling in this config';
  return `${how} on ${tokens(window)} tokens`;
}

/** 41 → `41 layers`, 1 → `1 layer` */
export function layerCount(count: number): string {
  return count === 1 ? '1 layer' : `${count} layers`;
}

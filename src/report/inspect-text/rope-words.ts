import { percent, tokens, trim } from '../format.js';
import type { InspectData, InspectLayerType } from '../inspect-types.js';

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
  yarn: (value) =>
    `YaRN with factor ${trim(value('factor'), 4)}: ` +
    bands(value, value('betaFast'), value('betaSlow'), 'a ramp'),
  llama3: (value) =>
    `Llama 3 scaling with factor ${trim(value('factor'), 4)}: ` +
    bands(value, value('highFreqFactor'), value('lowFreqFactor'), 'a blend'),
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

/** What YaRN and Llama 3 share: kept above a number of turns, divided below another. */
function bands(
  value: (name: string) => number,
  kept: number,
  divided: number,
  between: string,
): string {
  const window = tokens(value('originalMaxPositions'));
  const joined = kept === divided ? '' : `, and ${between} joins the two`;
  return (
    `pairs that turn more than ${times(kept)} in ${window} tokens are left alone, those that turn ` +
    `less than ${times(divided)} are divided by ${trim(value('factor'), 4)}${joined}.`
  );
}

function times(count: number): string {
  return count === 1 ? 'once' : `${trim(count, 2)} times`;
}

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

/** `64 of the 128 dimensions of a head rotate, as 32 pairs`, and how the pairs lie. */
export function shapeWords(
  { rotaryDim: tableDim, headDim, layout, invFreq }: InspectLayerType,
  latent: InspectData['latentAttention'],
): string {
  // Proportional RoPE has a table over the whole head, with a tail that stands still.
  const rotaryDim = 2 * invFreq.filter((frequency) => frequency > 0).length;
  const pairs = `as ${rotaryDim / 2} pairs`;
  const lie =
    layout === 'half'
      ? `dimension i is paired with dimension i + ${tableDim / 2}`
      : 'neighbouring dimensions are paired';
  if (latent !== null) {
    return (
      `Latent attention (MLA): keys and values come from one latent of ${latent.rank} numbers a ` +
      `token, which carries no position; ${latent.ropeDim} more dimensions, shared by all heads, ` +
      `rotate ${pairs} (${lie}).`
    );
  }
  const share =
    rotaryDim === headDim
      ? `All ${headDim} dimensions of a head rotate`
      : `${rotaryDim} of the ${headDim} dimensions of a head rotate`;
  return `${share}, ${pairs} (${lie}).`;
}

export function readingName(kind: 'unscaled' | 'configured', window: number): string {
  const how = kind === 'unscaled' ? 'the base frequencies' : 'the scaling in this config';
  return `${how} on ${tokens(window)} tokens`;
}

/** 41 → `41 layers`, 1 → `1 layer` */
export function layerCount(count: number): string {
  return count === 1 ? '1 layer' : `${count} layers`;
}

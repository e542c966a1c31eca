import { tokens, trim } from '../format.js';
import type { InspectData, InspectLayerType } from '../inspect-types.js';
import { layerCount, ropeWords, shapeWords } from './rope-words.js';

/** What the model does with positions, a sentence a line. */
export function modelSentences(data: InspectData): string[] {
  const groups = Object.entries(data.layerTypes);
  const turning = groups.map(([, group]) => `Theta ${tokens(group.theta)}. ${ropeWords(group)}`);
  const alike = turning.length > 1 && turning.every((words) => words === turning[0]);
  const lines = groups.map(([name, group], index) => {
    const sees = `${whoWords(data, name, group)} ${seesWords(group, data.bidirectional)}.`;
    return alike ? sees : `${sees} ${turning[index] ?? ''}`;
  });
  if (alike) lines.push(`All of them: ${turning[0] ?? ''}`);
  lines.push(...shapeLines(data));
  if (data.layersWithoutRope.length > 0) {
    lines.push(
      `${layerCount(data.layersWithoutRope.length)} without RoPE (${layerList(data.layersWithoutRope)}): ` +
        `they know no positions, only which tokens came before, and no scaling touches them.`,
    );
  }
  const { softmaxScale, unscaledSoftmaxScale, layersWithoutAttention: recurrent } = data;
  if (recurrent.length > 0) {
    lines.push(
      `${layerCount(recurrent.length)} without attention to the text (${layerList(recurrent)}): linear ` +
        'attention, state space or convolution, which keep the order in a state of fixed size, or ' +
        'attention to an image. No scaling touches them.',
    );
  }
  if (
    softmaxScale !== null &&
    unscaledSoftmaxScale !== null &&
    softmaxScale !== unscaledSoftmaxScale
  ) {
    lines.push(
      `The softmax scale is ${trim(softmaxScale, 5)}, ${trim(softmaxScale / unscaledSoftmaxScale, 3)} times ` +
        `what it would be without the scaling (${trim(unscaledSoftmaxScale, 5)}).`,
    );
  }
  return lines;
}

/** `All 32 layers`, or the layer type in front where there are other layers. */
function whoWords(data: InspectData, name: string, { layers }: InspectLayerType): string {
  const only = Object.keys(data.layerTypes).length === 1 && data.layersWithoutRope.length === 0;
  const count = layerCount(layers.length);
  if (!only) return `${name}: ${count}`;
  return data.layersWithoutAttention.length === 0 ? `All ${count}` : `${count} with attention`;
}

function seesWords({ span, layers }: InspectLayerType, bothSides: boolean): string {
  const verb = layers.length === 1 ? 'sees' : 'see';
  switch (span.kind) {
    case 'global':
      return `${verb} the whole context${bothSides ? ', before and after a token' : ''}`;
    case 'sliding':
      // The window counts the token itself.
      if (bothSides) return `${verb} ${tokens(span.window - 1)} tokens to either side only`;
      return `${verb} the last ${tokens(span.window)} tokens only`;
    case 'chunked':
      return `${verb} only their own chunk of ${tokens(span.window)} tokens`;
  }
}

/** Said once where every layer type has the same shape. */
function shapeLines({ layerTypes, latentAttention }: InspectData): string[] {
  const lines = Object.entries(layerTypes).map(([name, group]) => ({
    name,
    words: shapeWords(group, latentAttention),
  }));
  const [first] = lines;
  if (first === undefined) return [];
  if (lines.every(({ words }) => words === first.words)) return [first.words];
  return lines.map(({ name, words }) => `${name}: ${words}`);
}

const LISTED_LAYERS = 12;

/** `3, 7, 11 …` */
function layerList(layers: readonly number[]): string {
  const shown = layers.slice(0, LISTED_LAYERS).join(', ');
  return layers.length > LISTED_LAYERS ? `layers ${shown} …` : `layers ${shown}`;
}

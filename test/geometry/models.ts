import type { LayerGroup, ModelGeometry, Reference } from '../../src/model/types.js';
import type { RopeSpec } from '../../src/rope/registry.js';

/**
 * Shapes of published models, written by hand so that these tests do not need the config reader.
 */

const range = (count: number, wanted: (layer: number) => boolean = () => true): number[] =>
  Array.from({ length: count }, (_, layer) => layer).filter(wanted);

export const plain = (theta: number, rotaryDim = 128): RopeSpec => ({
  type: 'default',
  theta,
  rotaryDim,
});

export const yarn = (theta: number, factor: number, window: number, rotaryDim = 128): RopeSpec => ({
  type: 'yarn',
  theta,
  rotaryDim,
  factor,
  originalMaxPositions: window,
  betaFast: 32,
  betaSlow: 1,
  truncate: true,
});

const globalGroup = (
  layers: readonly number[],
  rope: RopeSpec,
  unscaled: RopeSpec,
): LayerGroup => ({
  layerType: 'full_attention',
  layers,
  span: { kind: 'global' },
  rope,
  unscaled,
});

/** meta-llama/Llama-2-7b-hf: multi-head attention, theta 1e4, 4096 tokens. */
export const llama2: ModelGeometry = {
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  layout: 'half',
  maxPositions: 4096,
  originalMaxPositions: undefined,
  groups: [globalGroup(range(32), plain(1e4), plain(1e4))],
  layersWithoutRope: [],
  softmaxScale: 128 ** -0.5,
  unscaledSoftmaxScale: 128 ** -0.5,
  attention: { layers: 32, heads: 32, kvHeads: 32, headDim: 128, hiddenSize: 4096 },
  findings: [],
};

export const llama2Reference: Reference = {
  kind: 'unscaled',
  trainedWindow: 4096,
  evidence: 'no-block',
};

/** meta-llama/Llama-3.1-8B: llama3 frequencies trained in, grouped-query attention. */
export const llama31: ModelGeometry = {
  ...llama2,
  maxPositions: 131072,
  originalMaxPositions: 8192,
  groups: [
    globalGroup(
      range(32),
      {
        type: 'llama3',
        theta: 5e5,
        rotaryDim: 128,
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 8192,
      },
      plain(5e5),
    ),
  ],
  attention: { layers: 32, heads: 32, kvHeads: 8, headDim: 128, hiddenSize: 4096 },
};

export const llama31Reference: Reference = {
  kind: 'configured',
  trainedWindow: 131072,
  evidence: 'llama3',
  alternative: { kind: 'unscaled', trainedWindow: 8192 },
};

/** google/gemma-3-1b: every sixth layer global, the others see 512 tokens. */
export const gemma3: ModelGeometry = {
  ...llama2,
  modelType: 'gemma3_text',
  architecture: 'Gemma3ForCausalLM',
  maxPositions: 32768,
  groups: [
    globalGroup(
      range(26, (layer) => layer % 6 === 5),
      plain(1e6, 256),
      plain(1e6, 256),
    ),
    {
      layerType: 'sliding_attention',
      layers: range(26, (layer) => layer % 6 !== 5),
      span: { kind: 'sliding', window: 512 },
      rope: plain(1e4, 256),
      unscaled: plain(1e4, 256),
    },
  ],
  softmaxScale: 256 ** -0.5,
  unscaledSoftmaxScale: 256 ** -0.5,
  attention: { layers: 26, heads: 4, kvHeads: 1, headDim: 256, hiddenSize: 1152 },
};

export const gemma3Reference: Reference = {
  kind: 'unscaled',
  trainedWindow: 32768,
  evidence: 'no-block',
};

/** deepseek-ai/DeepSeek-V3: latent attention, YaRN 40x, softmax scale with mscale². */
export const deepseekV3: ModelGeometry = {
  ...llama2,
  modelType: 'deepseek_v3',
  architecture: 'DeepseekV3ForCausalLM',
  layout: 'interleaved',
  maxPositions: 163840,
  originalMaxPositions: 4096,
  groups: [
    globalGroup(
      range(61),
      { ...yarn(1e4, 40, 4096, 64), mscale: 1, mscaleAllDim: 1 } as RopeSpec,
      plain(1e4, 64),
    ),
  ],
  softmaxScale: 192 ** -0.5 * (0.1 * Math.log(40) + 1) ** 2,
  unscaledSoftmaxScale: 192 ** -0.5,
  attention: {
    layers: 61,
    heads: 128,
    kvHeads: 128,
    headDim: 64,
    hiddenSize: 7168,
    latent: { rank: 512, ropeDim: 64, nopeDim: 128, valueDim: 128 },
  },
};

export const deepseekV3Reference: Reference = {
  kind: 'configured',
  trainedWindow: 163840,
  evidence: 'yarn-deepseek',
  alternative: { kind: 'unscaled', trainedWindow: 4096 },
};

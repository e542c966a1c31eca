import { describe, expect, it } from 'vitest';
import type { ModelGeometry } from '../../src/model/types.js';
import { read } from '../read.js';

/** Keys that these configs require but that do not matter here. */
const WIDTHS = {
  hidden_size: 2048,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  max_position_embeddings: 32_768,
};

function readAs(modelType: string, keys: Record<string, unknown>): ModelGeometry {
  return read({ model_type: modelType, ...WIDTHS, ...keys });
}

/** Layers of each rotating type, in the order of their first layers. */
function layersOf({ groups }: ModelGeometry): Record<string, readonly number[]> {
  return Object.fromEntries(groups.map(({ layerType, layers }) => [layerType, layers]));
}

/** What the layers of `modelType` see, rotate or lack when transformers 5.24 runs them. */
describe('which layers rotate', () => {
  it('Bamba lists the layers that attend', () => {
    const model = readAs('bamba', { num_hidden_layers: 9, attn_layer_indices: [1, 5, 8] });
    expect(layersOf(model)).toEqual({ full_attention: [1, 5, 8] });
    expect(model.layersWithoutAttention).toEqual([0, 2, 3, 4, 6, 7]);
    expect(model.attention.layers).toBe(3);
  });

  it('LFM2 lists them too, where it has no layer_types', () => {
    const model = readAs('lfm2', { num_hidden_layers: 6, full_attn_idxs: [2, 5] });
    expect(layersOf(model)).toEqual({ full_attention: [2, 5] });
  });

  it('an entry of such a list that is no index is an error', () => {
    expect(() => readAs('bamba', { num_hidden_layers: 9, attn_layer_indices: [1, 'two'] })).toThrow(
      expect.objectContaining({ kind: 'wrong_type', path: 'attn_layer_indices[1]' }),
    );
  });

  it('Llama 3.2 Vision attends to the image on some layers, which do not rotate', () => {
    const listed = readAs('mllama_text_model', {
      num_hidden_layers: 6,
      cross_attention_layers: [1, 4],
    });
    expect(layersOf(listed)).toEqual({ full_attention: [0, 2, 3, 5] });
    const { layersWithoutAttention } = readAs('mllama_text_model', { num_hidden_layers: 40 });
    expect(layersWithoutAttention).toEqual([3, 8, 13, 18, 23, 28, 33, 38]);
  });

  it('Flint: layers that see everything have no positions', () => {
    const model = readAs('flint', { num_hidden_layers: 9 });
    expect(layersOf(model)).toEqual({ sliding_attention: [2, 3, 4, 6, 7] });
    expect(model.layersWithoutRope).toEqual([0, 1, 5, 8]);
  });

  it.each(['muse_glimmer_text', 'muse_spark_text'])('%s counts from the last layer', (type) => {
    const model = readAs(type, { num_hidden_layers: 9 });
    expect(layersOf(model)).toEqual({ sliding_attention: [1, 2, 3, 5, 6, 7] });
    expect(model.layersWithoutRope).toEqual([0, 4, 8]);
    const thetas = [5e5, 0, 5e5, 5e5];
    const listed = readAs(type, { num_hidden_layers: 4, layer_rope_theta: thetas });
    expect(listed.layersWithoutRope).toEqual([1]);
  });

  it('Mistral Large 4 leaves every fourth layer without', () => {
    const model = readAs('mistral_large4_text', { num_hidden_layers: 9, kv_lora_rank: 512 });
    expect(model.layersWithoutRope).toEqual([3, 7]);
  });

  it('the last layer of Gemma 4 sees everything', () => {
    const model = readAs('gemma4_text', { num_hidden_layers: 9 });
    expect(layersOf(model)['full_attention']).toEqual([5, 8]);
  });

  it.each(['gemma2', 'gpt_oss'])('%s does not read an interval', (type) => {
    const model = readAs(type, { num_hidden_layers: 6, sliding_window_pattern: 3 });
    expect(layersOf(model)['sliding_attention']).toEqual([0, 2, 4]);
  });
});

describe('where a scaling may stand', () => {
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 8192 };

  it.each(['gemma4_text', 'mellum', 'laguna'])('%s: no flat rope_scaling', (type) => {
    const keys = { num_hidden_layers: 6, rope_scaling: yarn };
    expect(() => readAs(type, keys)).toThrow(
      expect.objectContaining({ kind: 'unsupported_for_model', path: 'rope_scaling' }),
    );
  });

  it('Gemma 4: a nested rope_scaling replaces rope_parameters', () => {
    const { groups } = readAs('gemma4_text', {
      num_hidden_layers: 6,
      rope_scaling: {
        full_attention: { ...yarn, rope_theta: 1e6 },
        sliding_attention: { rope_type: 'default', rope_theta: 2e4 },
      },
      rope_parameters: { sliding_attention: { rope_theta: 3e4 } },
    });
    expect(groups.map(({ rope }) => [rope.type, rope.theta])).toEqual([
      ['yarn', 1e6],
      ['default', 2e4],
    ]);
  });

  it.each(['recurrent_gemma', 'cosmos3_edge_text'])('%s: nowhere', (type) => {
    const keys = { num_hidden_layers: 6, rope_theta: 1e4, rope_scaling: yarn };
    expect(() => readAs(type, keys)).toThrow(
      expect.objectContaining({ kind: 'unsupported_for_model', path: 'rope_scaling.rope_type' }),
    );
  });

  it('Cohere Compass: a block that is null leaves its layers without RoPE', () => {
    const model = readAs('cohere_compass_text', {
      num_hidden_layers: 4,
      layer_types: [...Array(3).fill('sliding_attention'), 'full_attention'],
      rope_parameters: { sliding_attention: { rope_theta: 5e4 }, full_attention: null },
    });
    expect(model.layersWithoutRope).toEqual([3]);
    expect(model.groups).toMatchObject([{ layers: [0, 1, 2], rope: { theta: 5e4 } }]);
  });

  it('ESM has a theta outside any block', () => {
    const keys = { num_hidden_layers: 2, position_embedding_type: 'rotary', rope_theta: 2e4 };
    expect(readAs('esm', keys).groups[0]?.rope.theta).toBe(2e4);
  });
});

describe('windows', () => {
  const window = { use_sliding_window: true, sliding_window: 1000, max_window_layers: 3 };

  it.each(['qwen2', 'qwen2_vl', 'qwen2_5_vl_text'])('%s: the upper layers', (type) => {
    const model = readAs(type, { num_hidden_layers: 6, ...window });
    expect(layersOf(model)).toEqual({ full_attention: [0, 1, 2], sliding_attention: [3, 4, 5] });
  });

  it('Qwen2-MoE: every second of the lower layers', () => {
    const model = readAs('qwen2_moe', { num_hidden_layers: 6, ...window });
    expect(layersOf(model)['sliding_attention']).toEqual([0, 2]);
  });

  it.each([
    ['ultrabert', { sliding_window: 128 }],
    ['modernbert', { local_attention: 256 }],
    ['embedding_gemma2_text', { sliding_window: 128 }],
    ['openai_privacy_filter', { sliding_window: 128 }],
  ])('%s sees 128 tokens to either side of the token itself', (type, keys) => {
    const { groups } = readAs(type, { num_hidden_layers: 6, ...keys });
    const local = groups.find(({ layerType }) => layerType === 'sliding_attention');
    expect(local?.span).toEqual({ kind: 'sliding', window: 129 });
  });

  it('MiMo-V2: sliding_window_size leaves the token itself out; twice the key heads', () => {
    const { groups } = readAs('mimo_v2_flash', { num_hidden_layers: 6, sliding_window_size: 128 });
    const local = groups.find(({ layerType }) => layerType === 'sliding_attention');
    expect(local).toMatchObject({ span: { window: 129 }, kvHeads: 16 });
    // The class gives the first layer full attention too, beside every sixth.
    expect(groups[0]).toMatchObject({ layerType: 'full_attention', layers: [0, 5] });
  });
});

describe('heads', () => {
  it('Gemma 4 as transformers saves it: the wider heads stand by layer', () => {
    const { groups } = readAs('gemma4_text', {
      num_hidden_layers: 6,
      attention_k_eq_v: true,
      per_layer_config: { 5: { head_dim: 384, num_key_value_heads: 2 } },
    });
    const global = groups.find(({ layerType }) => layerType === 'full_attention');
    expect(global).toMatchObject({ headDim: 384, kvHeads: 2 });
  });

  it('parts of a latent head that a class sets itself', () => {
    const { latent } = readAs('glm4_moe_lite', { num_hidden_layers: 4 }).attention;
    expect(latent).toEqual({ rank: 512, ropeDim: 64, nopeDim: 192, valueDim: 256 });
  });
});

describe('the multiplier on q·k', () => {
  it.each([
    ['gemma3n_text', { query_pre_attn_scalar: 256 }, 1],
    ['gemma4_text', {}, 1],
    ['gemma2', { head_dim: 128 }, 1 / 16],
    ['gemma2', { head_dim: 128, query_pre_attn_scalar: 144 }, 1 / 12],
    ['granite', {}, 1],
    ['granite', { attention_multiplier: 0.015625 }, 0.015625],
    ['zamba2', { use_mem_rope: true }, 128 ** -0.5],
  ])('%s %o', (type, keys, scale) => {
    expect(readAs(type, { num_hidden_layers: 2, ...keys }).softmaxScale).toBeCloseTo(scale, 12);
  });
});

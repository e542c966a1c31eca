import { describe, expect, it } from 'vitest';
import { findingName } from '../../src/findings/index.js';
import { costOf } from '../../src/geometry/analyse.js';
import { parseConfig } from '../../src/json/parse.js';
import { readModel } from '../../src/model/read-model.js';
import type { ModelGeometry } from '../../src/model/types.js';
import { modelConfig } from '../golden-cases.js';
import { read, readFixture } from '../read.js';

/** Bytes of KV cache that a token takes, in bfloat16. */
function bytesPerToken(model: ModelGeometry): number | undefined {
  const options = { trainedWindow: 2048, lengths: [], dtype: 'bfloat16' } as const;
  return costOf(model, { ...options, bandwidthGBps: null })?.kvBytesPerToken;
}

describe('heads of keys and values', () => {
  it('Falcon 7B shares one among all queries', () => {
    expect(bytesPerToken(readFixture('falcon-7b.json'))).toBe(32 * 2 * 64 * 2);
  });

  it('DBRX has them in attn_config, with a theta that transformers does not read', () => {
    const model = read({
      model_type: 'dbrx',
      d_model: 6144,
      n_heads: 48,
      n_layers: 40,
      max_seq_len: 32_768,
      attn_config: { kv_n_heads: 8, rope_theta: 500_000 },
    });
    expect(bytesPerToken(model)).toBe(40 * 2 * 8 * 128 * 2);
    expect(model.groups[0]?.rope.theta).toBe(10_000);
    expect(model.findings.map(findingName)).toContain('class_fault');
  });

  it('JetMoE has as many query heads as its experts need', () => {
    const { attention } = read({
      model_type: 'jetmoe',
      hidden_size: 2048,
      num_hidden_layers: 24,
      num_key_value_heads: 16,
      num_experts_per_tok: 2,
      kv_channels: 128,
      max_position_embeddings: 4096,
    });
    expect(attention).toMatchObject({ heads: 32, kvHeads: 16, headDim: 128 });
  });

  it('Gemma 4: global layers have wider heads and fewer of them', () => {
    const model = read({
      model_type: 'gemma4_text',
      hidden_size: 2816,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      num_global_key_value_heads: 2,
      attention_k_eq_v: true,
      head_dim: 256,
      global_head_dim: 512,
      num_hidden_layers: 6,
      max_position_embeddings: 262_144,
      sliding_window: 1024,
    });
    expect(bytesPerToken(model)).toBe((2 * 2 * 512 + 5 * 2 * 8 * 256) * 2);
  });
});

describe('who sees what', () => {
  it('encoders keep no cache', () => {
    const model = readFixture('modernbert-base.json');
    expect(model.bidirectional).toBe(true);
    expect(bytesPerToken(model)).toBeUndefined();
  });

  it('the class decides, not the name of the architecture', () => {
    const bert = { ...JSON.parse(modelConfig('modernbert-base.json')), architectures: null };
    expect(read(bert).bidirectional).toBe(true);
    expect(readFixture('Llama-2-7b-hf.json').bidirectional).toBeUndefined();
  });

  it('layers of a hybrid that do not attend are listed', () => {
    const { layersWithoutAttention = [], groups } = readFixture('Qwen3.5-27B.json');
    expect(layersWithoutAttention.length).toBe(48);
    expect(groups[0]?.layers.length).toBe(16);
  });
});

it('MiniMax-Text-01: a share of the head, on the layers that attend', () => {
  const model = read({
    model_type: 'minimax_text_01',
    hidden_size: 6144,
    num_attention_heads: 64,
    head_dim: 128,
    num_hidden_layers: 8,
    attn_type_list: [0, 0, 0, 0, 0, 0, 0, 1],
    rotary_dim: 64,
    rope_theta: 1e7,
    max_position_embeddings: 10_240_000,
  });
  expect(model.groups).toMatchObject([{ layers: [7], rope: { rotaryDim: 64 } }]);
});

it('a key that is written twice is reported, with its place', () => {
  const text =
    '{"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_hidden_layers": 2,' +
    '"max_position_embeddings": 4096, "rope_theta": 1e4, "layers": [{"a": 1, "a": 2}],' +
    '"rope_\\u0073caling": {"rope_type": "linear", "factor": 2, "factor": 4}, "rope_theta": 2e4}';
  const { findings } = readModel(parseConfig(text));
  const repeated = findings.filter((found) => findingName(found) === 'repeated_key');
  expect(repeated.map(({ path }) => path)).toEqual([
    'layers[0].a',
    'rope_scaling.factor',
    'rope_theta',
  ]);
});

describe('hybrids that rotate only where the config asks for it', () => {
  const widths = { hidden_size: 2560, num_attention_heads: 32, max_position_embeddings: 4096 };
  const granite = { ...widths, model_type: 'granitemoehybrid', rope_theta: 10_000 };
  const zamba2 = { ...widths, model_type: 'zamba2', rope_theta: 10_000 };

  it.each([
    [granite],
    [{ ...granite, position_embedding_type: 'nope' }],
    [{ ...granite, position_embedding_type: null }],
    [zamba2],
    [{ ...zamba2, use_mem_rope: false }],
  ])('%j is not RoPE', (config) => {
    expect(readModel(parseConfig(JSON.stringify(config)))).toMatchObject({ encoding: 'none' });
  });

  it.each([
    [{ ...granite, position_embedding_type: 'rope' }, 80],
    [{ ...zamba2, use_mem_rope: true }, 160],
  ])('%j rotates %i dimensions', (config, dimensions) => {
    expect(read(config).groups[0]?.rope.rotaryDim).toBe(dimensions);
  });
});

describe('a window on all layers', () => {
  const widths = { hidden_size: 3072, num_attention_heads: 32, num_hidden_layers: 2 };
  const phi3 = { ...widths, model_type: 'phi3', max_position_embeddings: 4096 };
  const typeOf = (more: object) =>
    read({ ...phi3, ...more }).groups.map(({ layerType }) => layerType);

  it('names the layers by it', () => {
    expect(typeOf({ sliding_window: 2047 })).toEqual(['sliding_attention']);
  });

  it.each([
    { sliding_window: 262_144 },
    { sliding_window: 4096 },
    { sliding_window: null },
    { model_type: 'mistral', sliding_window: 8192 },
    { model_type: 'qwen2', use_sliding_window: true, max_window_layers: 1, sliding_window: 8192 },
  ])('is none where it holds the whole context: %j', (more) => {
    expect(typeOf(more)).toEqual(['full_attention']);
  });
});

it('says where a part without RoPE has its model type', () => {
  const config = { model_type: 'llava', text_config: { model_type: 'opt' } };
  const { findings } = readModel(parseConfig(JSON.stringify(config)));
  expect(findings.map(({ path }) => path)).toEqual(['text_config.model_type']);
});

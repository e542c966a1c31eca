import { describe, expect, it } from 'vitest';
import { type Finding, findingName } from '../../src/findings/index.js';
import { chooseReference } from '../../src/model/evidence.js';
import { isNotRope, readConfig, readModel } from '../../src/model/read-model.js';
import { classFields } from '../../src/model/source.js';
import type { ModelGeometry } from '../../src/model/types.js';
import { LLAMA, read } from '../read.js';

/** Findings by name; the first of each name. */
function byName(model: ModelGeometry): Record<string, Finding> {
  return Object.fromEntries(
    model.findings.toReversed().map((found) => [findingName(found), found] as const),
  );
}

function referenceOf(config: Record<string, unknown>) {
  const { kind, trainedWindow } = chooseReference(read(config));
  return [kind, trainedWindow];
}

const LINEAR = { rope_type: 'linear', factor: 8 };

describe('what the class of the model type reads counts', () => {
  it('a part in the file of a class that reads the top is a decoy', () => {
    const model = read({ ...LLAMA, rope_scaling: LINEAR, text_config: LLAMA });
    expect(model.groups[0]?.rope.type).toBe('linear');
    expect(byName(model)['part_not_read']).toMatchObject({
      path: 'text_config',
      severity: 'warning',
      args: { part: 'text_config', model: 'llama' },
    });
  });

  it('keys beside the part of a composite are not read, and said where they matter', () => {
    const composite = { model_type: 'llava', text_config: LLAMA };
    const plain = read(composite);
    expect(plain.groups[0]?.rope.type).toBe('default');
    expect(byName(plain)['part_differs']).toBeUndefined();
    const shadowed = read({ ...composite, rope_scaling: LINEAR });
    expect(shadowed.groups[0]?.rope.type).toBe('default');
    expect(byName(shadowed)['part_differs']?.args).toEqual({
      part: 'text_config',
      keys: ['rope_scaling'],
    });
  });

  it('the same table in another spelling is no difference', () => {
    const text_config = { ...LLAMA, rope_scaling: { rope_type: 'default' } };
    const model = read({ model_type: 'llava', text_config, rope_scaling: { type: 'default' } });
    expect(byName(model)['part_differs']).toBeUndefined();
  });

  it('a part of a model type that nobody knows is read', () => {
    const model = read({ model_type: 'new_vl', llm_config: LLAMA });
    expect(model).toMatchObject({ modelType: 'llama', partPath: 'llm_config' });
  });
});

describe('evidence that a scaling was trained in', () => {
  const LLAMA_31 = {
    ...LLAMA,
    max_position_embeddings: 131_072,
    rope_theta: 500_000,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  };

  it.each([
    ['Llama 3.1', {}, ['configured', 131_072]],
    ['another model type with its block', { model_type: 'mistral' }, ['unscaled', 8192]],
    ['another base', { rope_theta: 10_000 }, ['unscaled', 8192]],
    [
      'the factor of the small ones in a wide one',
      { rope_scaling: { ...LLAMA_31.rope_scaling, factor: 32 } },
      ['unscaled', 8192],
    ],
    [
      'a window beyond the published one',
      { max_position_embeddings: 524_288 },
      ['configured', 131_072],
    ],
  ])('%s', (_what, changes, wanted) => {
    expect(referenceOf({ ...LLAMA_31, ...changes })).toEqual(wanted);
  });

  it('a model type that was always published with a scaling knows little without it', () => {
    const deepseek = {
      ...LLAMA,
      model_type: 'deepseek_v3',
      kv_lora_rank: 512,
      qk_rope_head_dim: 64,
      max_position_embeddings: 163_840,
    };
    expect(referenceOf(deepseek)).toEqual(['unscaled', 4096]);
    expect(byName(read(deepseek))['block_missing']).toMatchObject({
      args: { known: 4096, max: 163_840 },
    });
    expect(byName(read({ ...deepseek, max_position_embeddings: 4096 }))['block_missing']).toBe(
      undefined,
    );
  });
});

describe('what a config says besides its frequencies', () => {
  it('a share of the head that is a class default', () => {
    const { missing_partial } = byName(read({ ...LLAMA, model_type: 'phi' }));
    expect(missing_partial).toMatchObject({ path: 'partial_rotary_factor', args: { value: 0.5 } });
    expect(byName(read(LLAMA))['missing_partial']).toBeUndefined();
  });

  it('a share that follows from rotary_dim is no class default', () => {
    const minimax = read({ ...LLAMA, model_type: 'minimax_m2', head_dim: 128, rotary_dim: 32 });
    expect(minimax.groups[0]?.rope.rotaryDim).toBe(32);
    expect(byName(minimax)['missing_partial']).toBeUndefined();
  });

  it('Command R was trained on its model_max_length', () => {
    const cohere = { ...LLAMA, model_type: 'cohere', max_position_embeddings: 8192 };
    expect(referenceOf({ ...cohere, model_max_length: 131_072 })).toEqual(['unscaled', 131_072]);
    expect(referenceOf(cohere)).toEqual(['unscaled', 8192]);
  });

  it('DeepSeek-Coder was trained with its linear block, and others may not have been', () => {
    const coder = {
      ...LLAMA,
      rope_theta: 100_000,
      max_position_embeddings: 16_384,
      rope_scaling: { type: 'linear', factor: 4 },
    };
    expect(referenceOf(coder)).toEqual(['configured', 16_384]);
    expect(referenceOf({ ...coder, rope_theta: 10_000 })[0]).toBe('unscaled');
    expect(referenceOf({ ...coder, rope_scaling: { type: 'linear', factor: 8 } })[0]).toBe(
      'unscaled',
    );
  });

  it('Ministral 3 scales its queries with their position', () => {
    const block = {
      rope_type: 'yarn',
      factor: 16,
      original_max_position_embeddings: 16_384,
      rope_theta: 1e6,
      mscale: 1,
      mscale_all_dim: 1,
    };
    const config = { ...LLAMA, model_type: 'ministral3', max_position_embeddings: 262_144 };
    const model = read({ ...config, rope_parameters: { ...block, llama_4_scaling_beta: 0.1 } });
    expect(model.queryScaling).toEqual({ scale: 0.1, window: 16_384, offset: 0, layers: 'all' });
    expect(byName(model)['query_scaling']).toMatchObject({
      path: 'rope_parameters.llama_4_scaling_beta',
      args: { at: 262_143, factor: 1.2773 },
    });
    const without = byName(read({ ...config, rope_parameters: block }));
    expect(without['class_fault']?.args).toMatchObject({ fault: 'beta_is_none' });
  });

  it('Llama 4 does so on layers without RoPE', () => {
    const llama4 = { ...LLAMA, model_type: 'llama4_text', max_position_embeddings: 65_536 };
    expect(read(llama4).queryScaling).toMatchObject({ window: 8192, layers: 'without-rope' });
    expect(read({ ...llama4, attn_temperature_tuning: false }).queryScaling).toBeUndefined();
  });

  it.each([
    [{ index_topk: 512 }, 512],
    [{ indexer_budget: 2048 }, 2048],
    [{ index_topk_blocks: 16, index_block_size: 128 }, 2048],
    [{ sparse_config: { topk: 64, block_size: 64 } }, 4096],
  ])('an indexer by its keys: %j', (keys, kept) => {
    expect(byName(read({ ...LLAMA, ...keys }))['sparse_attention']?.args).toEqual({ kept });
  });

  it.each([
    ['dual chunk attention', { dual_chunk_attention_config: { chunk_size: 262_144 } }],
    ['SelfExtend', { self_extend_group_size: 8 }],
    ['DroPE', { drope: true }],
    ['CoPE', { rope_parameters: { rope_type: 'default', cope: { npos_max: 64 } } }],
    ['Dynamic NTK scaling in the model’s own code (nomic_bert)', { rotary_scaling_factor: 2 }],
  ])('%s is named and left out', (mechanism, keys) => {
    expect(byName(read({ ...LLAMA, ...keys }))['not_evaluated']?.args).toMatchObject({ mechanism });
  });

  it('a mechanism that is switched off is not named', () => {
    const off = read({
      ...LLAMA,
      dual_chunk_attention_config: null,
      drope: false,
      rotary_scaling_factor: null,
    });
    expect(byName(off)['not_evaluated']).toBeUndefined();
  });

  it.each([
    ['qwen3_vl_text', 3, 262_144, 1_000_000, 'notice'],
    ['qwen3', 4, 32_768, 40_960, 'notice'],
    ['llama', 3, 262_144, 1_000_000, 'warning'],
  ])('the factor of a published recipe: %s %d', (model_type, factor, original, max, severity) => {
    const model = read({
      ...LLAMA,
      model_type,
      max_position_embeddings: max,
      rope_scaling: { rope_type: 'yarn', factor, original_max_position_embeddings: original },
    });
    expect(byName(model)['factor_mismatch']?.severity).toBe(severity);
  });

  it('Phi-3: the default of the class beats the window inside the block', () => {
    const factors = Array.from({ length: 64 }, () => 1);
    const model = read({
      ...LLAMA,
      model_type: 'phi3',
      rope_scaling: {
        type: 'longrope',
        short_factor: factors,
        long_factor: factors,
        original_max_position_embeddings: 2048,
      },
    });
    expect(model.groups[0]?.rope).toMatchObject({ originalMaxPositions: 4096 });
    expect(byName(model)['class_fault']?.args).toMatchObject({
      fault: 'class_original_wins',
      value: 4096,
    });
    expect(byName(model)['conflict']).toBeUndefined();
  });
});

describe('other files and other formats', () => {
  it("Mistral's params.json is read as a config", () => {
    const model = readModel({
      dim: 4096,
      n_layers: 34,
      n_heads: 32,
      n_kv_heads: 8,
      head_dim: 128,
      rope_theta: 1e6,
      max_seq_len: 262_144,
      yarn: {
        original_max_position_embeddings: 16_384,
        factor: 16,
        apply_scale: false,
        beta: 32,
        alpha: 1,
      },
      llama_4_scaling: { original_max_position_embeddings: 16_384, beta: 0.1 },
    });
    if (isNotRope(model)) throw new Error('not rope');
    expect(model).toMatchObject({ modelType: 'ministral3', maxPositions: 262_144 });
    expect(model.groups[0]?.rope).toMatchObject({
      type: 'yarn',
      factor: 16,
      betaFast: 32,
      attentionFactor: 1,
    });
    expect(byName(model)['translated']?.args).toEqual({
      format: "Mistral's params.json",
      model: 'ministral3',
    });
  });

  it('a params.json without a sliding window has none, whatever the class of a config.json has', () => {
    const nemo = { dim: 5120, n_layers: 40, n_heads: 32, n_kv_heads: 8, head_dim: 128 };
    const model = readModel({ ...nemo, rope_theta: 1e6, max_position_embeddings: 131_072 });
    if (isNotRope(model)) throw new Error('not rope');
    expect(model.groups.map(({ span }) => span.kind)).toEqual(['global']);
    const local = readModel({ ...nemo, max_seq_len: 32_768, sliding_window: 4096 });
    if (isNotRope(local)) throw new Error('not rope');
    expect(local.groups.map(({ span }) => span.kind)).not.toContain('global');
  });

  it('a config of MLC-LLM is named, although it has a model type', () => {
    const mlc = {
      model_type: 'llama',
      quantization: 'q4f16_1',
      model_config: { hidden_size: 4096, context_window_size: 8192 },
      context_window_size: 8192,
    };
    expect(() => readModel(mlc)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('MLC-LLM') }),
    );
  });

  it('one that says no length is named', () => {
    const meta = { dim: 4096, n_layers: 32, n_heads: 32, norm_eps: 1e-5, rope_theta: 5e5 };
    expect(() => readModel(meta)).toThrow(
      expect.objectContaining({
        kind: 'missing_field',
        hint: expect.stringMatching(/config.json/),
      }),
    );
  });

  it.each([
    ['genai_config.json', { model: { type: 'phi3' }, search: {} }],
    ['TensorRT-LLM', { version: '1.0', pretrained_config: {}, build_config: {} }],
    [
      'TensorRT-LLM',
      { architecture: 'LlamaForCausalLM', position_embedding_type: 'rope_gpt_neox' },
    ],
    ['processor', { processor_class: 'LlavaProcessor' }],
  ])('%s is named', (name, config) => {
    expect(() => readModel(config)).toThrow(
      expect.objectContaining({ path: 'model_type', hint: expect.stringContaining(name) }),
    );
  });

  it('nomic_bert has keys of its own', () => {
    const model = read({
      model_type: 'nomic_bert',
      n_embd: 768,
      n_head: 12,
      n_layer: 12,
      n_positions: 8192,
      max_trained_positions: 2048,
      rotary_emb_base: 1000,
      rotary_emb_fraction: 0.5,
    });
    expect(model).toMatchObject({ maxPositions: 8192, attention: { headDim: 64, layers: 12 } });
    expect(model.groups[0]?.rope).toMatchObject({ theta: 1000, rotaryDim: 32 });
    expect(chooseReference(model).trainedWindow).toBe(2048);
  });

  it('a number that is not finite is an error only where it matters', () => {
    const text = JSON.stringify({ ...LLAMA, limit: 'X' }).replace('"X"', 'Infinity');
    expect(readConfig(text).model).toMatchObject({ modelType: 'llama' });
    expect(() => readConfig(text.replace('10000', 'NaN'))).toThrow(
      expect.objectContaining({ kind: 'invalid_value', path: 'rope_theta' }),
    );
  });
});

describe('the keys that a class takes by name', () => {
  it('stand with its defaults, and not for a model type without a class', () => {
    const llama = classFields('llama');
    expect(llama?.get('rms_norm_eps')).toBe(1e-6);
    expect(llama?.has('sliding_window')).toBe(false);
    expect(classFields('mistral')?.get('sliding_window')).toBe(4096);
    expect(classFields('bamba')?.get('time_step_limit')).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(classFields('constructor')).toBeUndefined();
  });
});

describe('bounds', () => {
  it.each([
    ['a head wider than any', { head_dim: 16_384 }],
    ['a width without heads for it', { hidden_size: 1_048_576, num_attention_heads: 32 }],
    ['more layers than any', { num_hidden_layers: 10_000 }],
    [
      'a hundred types of layer',
      {
        model_type: 'gemma2',
        num_hidden_layers: 100,
        layer_types: Array.from({ length: 100 }, (_, layer) => `t${layer}`),
      },
    ],
  ])('refuses %s', (_what, keys) => {
    expect(() => read({ ...LLAMA, ...keys })).toThrow(
      expect.objectContaining({ kind: 'out_of_range' }),
    );
  });
});

describe('positions that the class of the model type does not have', () => {
  const findings = (config: object) => readModel({ ...config }).findings.map(findingName);

  it.each([
    ['ALiBi under the type bert', { model_type: 'bert', position_embedding_type: 'alibi' }],
    ['rotary positions', { model_type: 'xlm-roberta', position_embedding_type: 'rotary' }],
    ['a base of rotations', { model_type: 'xlm-roberta', rotary_emb_base: 20_000 }],
    ['a scaling', { model_type: 'gpt2', rope_scaling: LINEAR }],
  ])('%s: a warning, since code that ships with the model decides', (_, config) => {
    expect(findings(config)).toEqual(['other_positions', 'not_rope']);
  });

  it.each([
    ['those of the class', { model_type: 'bert', position_embedding_type: 'absolute' }],
    ['none named', { model_type: 'gpt2', rope_scaling: null }],
  ])('%s: no warning', (_, config) => {
    expect(findings(config)).toEqual(['not_rope']);
  });
});

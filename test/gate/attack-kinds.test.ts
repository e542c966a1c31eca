import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/gate/policy.js';
import { chooseReference } from '../../src/model/evidence.js';
import { readConfig, requireRope } from '../../src/model/read-model.js';
import { modelConfig } from '../golden-cases.js';
import { errors, LLAMA, verdict } from '../helpers/judge.js';

const model = (name: string): Record<string, unknown> =>
  JSON.parse(modelConfig(`${name}.json`)) as Record<string, unknown>;

const PART = {
  hidden_size: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 4,
  num_key_value_heads: 8,
  max_position_embeddings: 8192,
  rope_theta: 500000,
};

describe('the part of a composite that its class reads', () => {
  it.each(['language_config', 'llm_config', 'thinker_config', 'decoder'])(
    'is not replaced by one called %s',
    async (decoy) => {
      const base = { model_type: 'llava', text_config: { model_type: 'llama', ...PART } };
      const moved = { model_type: 'llava', [decoy]: base.text_config };
      const listed = { ...moved, text_config: [base.text_config] };
      expect(errors(await verdict(moved, base))).toContain('RE086');
      await expect(verdict(listed, base)).rejects.toMatchObject({ kind: 'wrong_type' });
    },
  );

  it.each(['internvl', 'qwen2_audio', 'voxtral', 'granite_speech', 'llama4', 'aria', 'glm4v'])(
    '%s: keys at the top are none',
    async (model_type) => {
      const result = await verdict({ model_type, ...PART }, { model_type, text_config: PART });
      expect(result.exitCode).toBe(1);
    },
  );

  it('may stand at the top where the class reads it there', async () => {
    const [model_type, text_config] = ['qwen2_vl', PART];
    expect((await verdict({ model_type, ...PART }, { model_type, text_config })).exitCode).toBe(0);
  });

  it('holds remote code at any depth', async () => {
    const omni = (rope_theta: number): object => ({
      model_type: 'qwen2_5_omni',
      thinker_config: { text_config: { ...PART, rope_theta, auto_map: { AutoModel: 'a.B' } } },
    });
    expect(errors(await verdict(omni(1e6), omni(5e5)))).toContain('RE085');
  });
});

describe('what changed', () => {
  it('is every number of a list, also one that leaves its mean alone', async () => {
    const factors = Array.from({ length: 64 }, (_, pair) => 1 + pair / 8);
    const swapped = factors.with(10, factors[50]!).with(50, factors[10]!);
    const longrope = (long_factor: number[]): object => ({
      ...LLAMA,
      max_position_embeddings: 32768,
      rope_scaling: {
        rope_type: 'longrope',
        short_factor: Array<number>(64).fill(1),
        long_factor,
        original_max_position_embeddings: 8192,
      },
    });
    const { findings } = await verdict(longrope(swapped), longrope(factors));
    expect(findings.map(({ code }) => code)).toContain('RE062');
  });

  it('is also a layer behind as many as attend', async () => {
    const qwen = model('Qwen3.5-27B');
    const text = qwen['text_config'] as Record<string, unknown>;
    const types = [...(text['layer_types'] as string[])];
    const last = types.lastIndexOf('full_attention');
    const other = { ...text, layer_types: types.with(last, 'linear_attention') };
    expect(errors(await verdict({ ...qwen, text_config: other }, qwen))).toContain('RE081');
  });

  it('is the number of layers, also of those that do not attend', async () => {
    const minimax = { model_type: 'minimax', ...PART, num_hidden_layers: 32 };
    expect(errors(await verdict({ ...minimax, num_hidden_layers: 31 }, minimax))).toContain(
      'RE084',
    );
  });

  it('is an original window beside no scaling, which nothing compares', async () => {
    const result = await verdict({ ...LLAMA, original_max_position_embeddings: 64 }, LLAMA);
    expect(errors(result)).toContain('RE085');
  });
});

it('says where a block moved to a spelling that older programs do not read', async () => {
  const rope_scaling = { rope_type: 'linear', factor: 8 };
  const { rope_theta, ...rest } = LLAMA;
  const moved = { ...rest, rope_parameters: { ...rope_scaling, rope_theta } };
  const { findings, exitCode } = await verdict(moved, { ...LLAMA, rope_scaling });
  expect(exitCode).toBe(0);
  expect(findings).toMatchObject([{ code: 'RE091', level: 'warn', path: 'rope_parameters' }]);
  const both = { ...moved, rope_theta, rope_scaling };
  expect((await verdict(both, { ...LLAMA, rope_scaling })).findings).not.toContainEqual(
    expect.objectContaining({ code: 'RE091' }),
  );
});

describe('a harmless name', () => {
  it.each<[string, object]>([
    ['in an object that is no part of the model', { quantization_config: { dtype: 'int2' } }],
    ['in a block of its own', { rope_config: { dropout: 1 } }],
    ['with a value of another kind', { vocab_size: 'x' }],
    ['with a number format that is none', { torch_dtype: 'linear' }],
    ['with an object', { eos_token_id: { factor: 8 } }],
  ])('is not judged %s', async (_, more) => {
    expect(errors(await verdict({ ...LLAMA, ...more }, LLAMA))).toContain('RE085');
  });

  it('is none where remote code is loaded from the repository that it names', async () => {
    const remote = { ...LLAMA, auto_map: { AutoModel: 'a.B' } };
    const result = await verdict({ ...remote, _name_or_path: 'other/repository' }, remote);
    expect(errors(result)).toContain('RE085');
  });
});

describe('evidence that a scaling was trained in', () => {
  const block = (name: string, more: object): object => {
    const config = model(name);
    return { ...config, rope_scaling: { ...(config['rope_scaling'] as object), ...more } };
  };
  const reference = (config: object): string =>
    chooseReference(requireRope(readConfig(JSON.stringify(config)).model)).kind;

  it.each<[string, object]>([
    ['Meta-Llama-3.1-8B', { low_freq_factor: 100, high_freq_factor: 400 }],
    ['DeepSeek-V3', { beta_fast: 1000, beta_slow: 900 }],
    ['DeepSeek-V3', { mscale: 100 }],
    ['DeepSeek-V3', { attention_factor: 50 }],
    ['gpt-oss-20b', { beta_fast: 3 }],
    ['gpt-oss-20b', { truncate: true }],
    ['Hunyuan-7B', { alpha: 100000 }],
  ])('is about every number of the block: %s with %j', (name, more) => {
    expect(reference(block(name, {}))).toBe('configured');
    expect(reference(block(name, more))).toBe('unscaled');
  });

  it.each<[string, object]>([
    ['divisors of a thousand', { long_factor: Array<number>(48).fill(1000) }],
    ['a short list that divides', { short_factor: Array<number>(48).fill(30) }],
    ['another window', { original_max_position_embeddings: 128 }],
  ])('is no blank cheque for lists of divisors: %s', (_, more) => {
    const phi = {
      model_type: 'phi3',
      ...PART,
      hidden_size: 3072,
      num_key_value_heads: 32,
      max_position_embeddings: 131072,
      original_max_position_embeddings: 4096,
    };
    const rope_scaling = {
      type: 'longrope',
      short_factor: Array<number>(48).fill(1.1),
      long_factor: Array.from({ length: 48 }, (__, pair) => 1 + pair),
    };
    const { original_max_position_embeddings: original = 4096, ...lists } = {
      original_max_position_embeddings: 4096,
      ...more,
    };
    expect(reference({ ...phi, rope_scaling })).toBe('configured');
    expect(
      reference({
        ...phi,
        original_max_position_embeddings: original,
        rope_scaling: { ...rope_scaling, ...lists },
      }),
    ).toBe('unscaled');
  });
});

describe('a model without RoPE', () => {
  const BERT = {
    model_type: 'bert',
    hidden_size: 768,
    num_hidden_layers: 12,
    max_position_embeddings: 512,
    pad_token_id: 0,
  };

  it('passes where nothing changed, or what is harmless', async () => {
    for (const same of [BERT, { ...BERT, eos_token_id: 3 }]) {
      expect(await verdict(same, BERT)).toMatchObject({ status: 'passed', target: null });
    }
  });

  it.each<[string, object, string]>([
    ['a length', { ...BERT, max_position_embeddings: 1024 }, 'RE085'],
    ['the token that positions are counted from', { ...BERT, pad_token_id: 7 }, 'RE085'],
    ['its encoding', LLAMA, 'RE084'],
  ])('fails where this changed: %s', async (_, after, code) => {
    expect(errors(await verdict(after, BERT))).toContain(code);
    expect((await verdict(after, BERT)).exitCode).toBe(1);
  });

  it('fails where RoPE was taken away', async () => {
    expect(errors(await verdict(BERT, LLAMA))).toContain('RE084');
  });

  it('passes a key that the policy allows', async () => {
    const policy = parsePolicy('{"allow": ["max_position_embeddings"]}', 'p.json');
    const longer = { ...BERT, max_position_embeddings: 1024 };
    expect((await verdict(longer, BERT, policy)).exitCode).toBe(0);
  });
});

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { check, type CheckRun } from '../../src/gate/check.js';
import { defaultPolicy, parsePolicy, type Policy } from '../../src/gate/policy.js';
import { errors, judge, LLAMA, side, verdict } from '../helpers/judge.js';
import { candidate, makeReport, short } from '../helpers/report.js';

const attack = (name: string): Promise<string> => readFile(`fixtures/attack/${name}.json`, 'utf8');

const QWEN = { ...LLAMA, architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };

describe('a change that no probe sees', () => {
  it.each([
    ['a-smol-nope', 'base-smol', 'RE065'],
    ['a-mistral-sw', 'base-mistral', 'RE067'],
    ['a-lower', 'base', 'RE064'],
    ['a-automap', 'base', 'RE085'],
    ['a-both', 'base', 'RE086'],
    ['a-typekey', 'base', 'RE086'],
    ['a-partial', 'base', 'RE086'],
  ])('fails: %s against %s', async (config, base, code) => {
    const result = await verdict(await attack(config), await attack(base));
    expect(result).toMatchObject({ status: 'failed', exitCode: 1 });
    expect(errors(result)).toContain(code);
  });

  it('fails where a part that the class does not read hides the change', async () => {
    const result = await verdict(await attack('a-textconfig'), await attack('base'));
    expect(result.exitCode).toBe(1);
  });

  it.each<[string, object, object, string]>([
    ['heads', LLAMA, { ...LLAMA, num_attention_heads: 16 }, 'RE084'],
    ['key and value heads', LLAMA, { ...LLAMA, num_key_value_heads: 4 }, 'RE084'],
    ['head dimension', LLAMA, { ...LLAMA, head_dim: 64 }, 'RE084'],
    ['layers', LLAMA, { ...LLAMA, num_hidden_layers: 3 }, 'RE084'],
    ['model type', LLAMA, { ...LLAMA, model_type: 'mistral', sliding_window: null }, 'RE084'],
    ['class', LLAMA, { ...LLAMA, architectures: ['Evil'] }, 'RE084'],
    [
      'lost window',
      { ...QWEN, use_sliding_window: true, sliding_window: 512, max_window_layers: 0 },
      { ...QWEN, use_sliding_window: false, sliding_window: 512, max_window_layers: 0 },
      'RE068',
    ],
    [
      'another window',
      { ...LLAMA, model_type: 'mistral', sliding_window: 4096 },
      { ...LLAMA, model_type: 'mistral', sliding_window: 512 },
      'RE069',
    ],
    ['attention bias', LLAMA, { ...LLAMA, attention_bias: true }, 'RE085'],
    ['a key of nobody', LLAMA, { ...LLAMA, position_trick: 2 }, 'RE085'],
    [
      'a key of nobody in a block',
      { ...LLAMA, rope_scaling: { rope_type: 'linear', factor: 2 } },
      { ...LLAMA, rope_scaling: { rope_type: 'linear', factor: 2, temperature: 3 } },
      'RE085',
    ],
    ['quantisation', LLAMA, { ...LLAMA, quantization_config: { bits: 4 } }, 'RE085'],
    [
      'remote code beside another change',
      { ...LLAMA, auto_map: { AutoModel: 'a.B' } },
      { ...LLAMA, auto_map: { AutoModel: 'a.B' }, rope_theta: 5e6 },
      'RE085',
    ],
    [
      'an unknown model type',
      { ...LLAMA, model_type: 'nobody' },
      { ...LLAMA, model_type: 'nobody', rope_theta: 5e6 },
      'RE085',
    ],
    ['a block without a type', LLAMA, { ...LLAMA, rope_scaling: { factor: 4 } }, 'RE086'],
  ])('fails: %s', async (_, before, after, code) => {
    const result = await verdict(after, before);
    expect(result.exitCode).toBe(1);
    expect(errors(result)).toContain(code);
  });

  it('fails where a key stands twice', async () => {
    const twice = JSON.stringify(LLAMA).replace('{', '{"rope_theta": 10000, ');
    expect(errors(await verdict(twice, LLAMA))).toContain('RE086');
  });
});

describe('a change that touches nothing', () => {
  it.each<[string, object]>([
    ['token ids', { eos_token_id: [1, 2] }],
    ['the number format', { torch_dtype: 'float16' }],
    ['dropout', { attention_dropout: 0.1 }],
    ['a version', { transformers_version: '5.0.0' }],
    ['labels', { id2label: { 0: 'a' } }],
    ['a default of the class', { rope_scaling: null, attention_bias: false, mlp_bias: false }],
  ])('passes: %s', async (_, more) => {
    const result = await verdict({ ...LLAMA, ...more }, LLAMA);
    expect(result).toMatchObject({ status: 'passed', exitCode: 0, findings: [] });
    expect(result.differences?.every(({ judgement }) => judgement === 'harmless')).toBe(true);
    expect(result.differences?.every(({ reason }) => reason !== undefined)).toBe(true);
  });

  it('passes a list that says what holds anyway, as transformers 5 writes it', async () => {
    const qwen = { ...QWEN, use_sliding_window: false, sliding_window: 131072 };
    const full = Array<string>(4).fill('full_attention');
    const saved = { ...qwen, sliding_window: null, layer_types: full };
    expect((await verdict(saved, qwen)).exitCode).toBe(0);
    const sliding = full.with(2, 'sliding_attention');
    const local = { ...saved, sliding_window: 64, layer_types: sliding };
    expect((await verdict(local, qwen)).exitCode).toBe(1);
  });

  it('passes in a model with remote code and of an unknown type', async () => {
    const model = { ...LLAMA, model_type: 'nobody', auto_map: { AutoModel: 'a.B' } };
    expect((await verdict({ ...model, eos_token_id: 7 }, model)).exitCode).toBe(0);
  });

  it('is no excuse for the same name elsewhere', async () => {
    const linear = { rope_type: 'linear', factor: 2 };
    const result = await verdict(
      { ...LLAMA, rope_scaling: { ...linear, dropout: 1 } },
      { ...LLAMA, rope_scaling: linear },
    );
    expect(errors(result)).toContain('RE085');
  });
});

describe('what the policy allows', () => {
  const allowing = (...allow: string[]): Policy => parsePolicy(JSON.stringify({ allow }), 'p.json');

  it('passes by name, with what lies below it', async () => {
    const after = { ...LLAMA, quantization_config: { bits: 4, group_size: 128 } };
    expect((await verdict(after, LLAMA, allowing('quantization_config'))).exitCode).toBe(0);
    expect((await verdict(after, LLAMA, allowing('quantization_config.bits'))).exitCode).toBe(1);
    expect((await verdict(after, LLAMA, allowing('quant'))).exitCode).toBe(1);
  });

  it('covers remote code and unknown model types', async () => {
    const model = { ...LLAMA, model_type: 'nobody', auto_map: { AutoModel: 'a.B' } };
    const changed = { ...model, rope_theta: 5e6 };
    expect((await verdict(changed, model, allowing('auto_map', 'model_type'))).exitCode).toBe(0);
    expect((await verdict(model, undefined)).exitCode).toBe(1);
    expect((await verdict(model, undefined, allowing('auto_map', 'model_type'))).exitCode).toBe(0);
  });

  it.each(['*', 'vision_config.*', 'rope_?'])('is no pattern: %s', (name) => {
    expect(() => allowing(name)).toThrow(expect.objectContaining({ kind: 'bad_policy' }));
  });

  it('is never everything', () => {
    for (const level of ['off', 'warn']) {
      expect(() => parsePolicy(JSON.stringify({ lint: { RE085: level } }), 'p.json')).toThrow(
        expect.objectContaining({ kind: 'bad_policy' }),
      );
    }
  });
});

describe('a policy that cannot fail', () => {
  it.each([
    [[]],
    [[['warn', 'short.lossChange <= 0.05']]],
    [[['off', 'short.lossChange <= 0.05']]],
    [[['error', 'kvCacheGiB <= 1e6']]],
    [
      [
        ['error', 'needle@1x >= 0'],
        ['error', 'reach >= 0.0001'],
      ],
    ],
    [
      [
        ['error', 'short.accuracyChange >= -1'],
        ['error', 'short.lossChange <= 1000'],
      ],
    ],
  ])('is refused: %j', async (rules) => {
    const policy = (): Policy => parsePolicy(JSON.stringify({ rules }), 'p.json');
    await expect(async () => judge(LLAMA, LLAMA, policy())).rejects.toMatchObject({
      kind: expect.stringMatching(/^bad_/) as string,
      exitCode: 2,
    });
  });

  it.each([[{ rules: [['error', 'none: short.lossChange <= 0.05']] }], [{ candidates: ['none'] }]])(
    'is refused where it is never about the config: %j',
    async (policy) => {
      const parsed = parsePolicy(JSON.stringify(policy), 'p.json');
      await expect(judge(LLAMA, LLAMA, parsed)).rejects.toMatchObject({ kind: 'bad_policy' });
    },
  );

  it('is refused though the pull request brought it', async () => {
    const policy = parsePolicy(await attack('policy-that-loosens'), 'rope-eval.config.json');
    await expect(judge(LLAMA, LLAMA, policy)).rejects.toMatchObject({ kind: 'bad_policy' });
  });
});

describe('a linear block without an original window', () => {
  const linear = { ...LLAMA, rope_scaling: { rope_type: 'linear', factor: 4 } };
  const bad = makeReport({
    candidates: [
      candidate('none', 'reference', 1, short(0, 0)),
      candidate('as-configured', 'fails-short', 4, short(-0.4, 0.66)),
    ],
  });
  const judgeBad = (base: object | undefined): Promise<CheckRun> =>
    check({
      config: side(JSON.stringify(linear), 'config.json'),
      base: base && side(JSON.stringify(base), 'base.json'),
      policy: defaultPolicy(),
      target: undefined,
      options: {},
      evaluate: async () => bad,
      commands: () => ({ compare: 'rope-eval', again: () => 'rope-eval', alone: () => '' }),
    });

  it('is not failed by a guess where nothing says what was trained', async () => {
    const { result, advice } = await judgeBad(undefined);
    expect(result.status).toBe('unverifiable');
    expect(result.rules.map(({ reason }) => reason)).toContain('ambiguous-reference');
    const [first] = advice.flatMap((each) => each?.says ?? []);
    expect(first).toMatch(/reference .*base/);
  });

  it('is not told to be undone where it did not change', async () => {
    const { result, advice } = await judgeBad({ ...linear, eos_token_id: 3 });
    expect(result.exitCode).toBe(0);
    expect(advice.filter(Boolean)).toEqual([]);
  });

  it('is blamed where the change brought it', async () => {
    const { result, advice } = await judgeBad(LLAMA);
    expect(result.status).toBe('failed');
    expect(advice.find((each) => each?.path === 'rope_scaling')).toBeDefined();
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { emit, type EmitInput, type EngineName } from '../../src/emit/index.js';
import { configText, dynamic, flag, inputFor, linear, yarn } from './input.js';

const llama = configText('Llama-2-7b-hf');
const llama31 = configText('Meta-Llama-3.1-8B');
const qwen = configText('Qwen2.5-7B-Instruct');
const gemma = configText('gemma-3-1b-it');

function settings(input: EmitInput, engine: EngineName, version?: string) {
  const [emission] = emit(input, [engine], version);
  if (!emission?.ok) throw new Error('refused');
  return {
    text: emission.settings.map(({ text }) => text).join('\n'),
    notes: emission.notes.map(({ text }) => text).join('\n'),
    needs: emission.notes.flatMap(({ kind, text }) => (kind === 'needs' ? [text] : [])),
  };
}

describe('vLLM’s length of YaRN', () => {
  // Llama 3.1 was trained on 131,072 with a factor of 8 over 8192. A factor of 16 doubles that with
  // half the rows.
  it.each([
    ['yarn:2', inputFor(llama31, yarn(16, 8192), 262_144), '131,072'],
    ['yarn:4', inputFor(llama31, yarn(32, 8192), 524_288), '262,144'],
  ])('Llama 3.1, %s: its table ends at factor x original window', (_, input, end) => {
    for (const version of [undefined, '0.29']) {
      const [emission] = emit(input, ['vllm'], version);
      if (emission?.ok !== false) throw new Error('said');
      expect(emission.reason).toContain(`${end} tokens`);
    }
  });

  it.each([
    ['Qwen2.5, yarn:2', inputFor(qwen, yarn(2, 32_768), 65_536), 65_536],
    ['Qwen2.5, yarn:4', inputFor(qwen, yarn(4, 32_768), 131_072), 131_072],
  ])('%s: is what max_position_embeddings is raised to, since 0.30', (_, input, length) => {
    const { text, notes } = settings(input, 'vllm');
    expect(text).toContain(`"max_position_embeddings":${length}`);
    expect(text).toContain(`--max-model-len ${length}`);
    expect(notes).not.toContain('Refuses');
  });

  it('one form serves versions on both sides of the change', () => {
    const input = inputFor(qwen, yarn(4, 32_768), 131_072);
    for (const version of ['0.24', '0.29', '0.33']) {
      expect(settings(input, 'vllm', version).text).toBe(settings(input, 'vllm').text);
    }
    expect(settings(input, 'vllm', '0.23').text).toBe(settings(input, 'vllm', '0.12').text);
  });
});

describe('notes follow the rule of the length', () => {
  it('Gemma 3 in vLLM: no factor multiplies it, and the raised limit is what is served', () => {
    const { text, notes } = settings(inputFor(gemma, linear(2), 65_536), 'vllm');
    expect(text).toContain('"max_position_embeddings":65536');
    expect(notes).toMatch(/--max-model-len .*\bmax_position_embeddings\b/);
    expect(notes).not.toContain('factor');
  });

  it('dynamic in vLLM: its table at the length, as a theta under a raised limit', () => {
    const { text, notes } = settings(inputFor(llama, dynamic(2), 16_384), 'vllm');
    // alpha = 2 x 16384 / 4096 - 1
    const theta = 10_000 * 7 ** (128 / 126);
    const overrides = JSON.parse(flag(text, '--hf-overrides')) as {
      rope_parameters: { rope_theta: number };
    };
    expect(overrides).toMatchObject({ rope_parameters: { rope_type: 'default' } });
    expect(overrides).toMatchObject({ max_position_embeddings: 16_384 });
    expect(overrides.rope_parameters.rope_theta).toBeCloseTo(theta, 6);
    expect(notes).toContain('ntk:7 ');
    expect(notes).not.toContain('Refuses');
  });

  it('SGLang: the limit is raised only where the file’s is too low', () => {
    const raised = settings(inputFor(llama, yarn(4, 4096), 16_384), 'sglang');
    expect(JSON.parse(flag(raised.text, '--json-model-override-args'))).toMatchObject({
      max_position_embeddings: 16_384,
    });
    expect(raised.notes).not.toContain('--context-length');
    const enough = settings(inputFor(llama31, yarn(16, 8192), 131_072), 'sglang');
    expect(JSON.parse(flag(enough.text, '--json-model-override-args'))).not.toHaveProperty(
      'max_position_embeddings',
    );
    expect(enough.notes).toContain('--context-length');
  });
});

describe('linear scaling in place of a trained-in one', () => {
  // A table has factor x max_position_embeddings rows: 16 x 131,072 would be 2 GB a layer in float32.
  const input = inputFor(llama31, linear(16), 262_144);

  it('vLLM: max_position_embeddings is lowered to what the factor multiplies', () => {
    const { text, notes } = settings(input, 'vllm');
    expect(JSON.parse(flag(text, '--hf-overrides'))).toMatchObject({
      max_position_embeddings: 16_384,
    });
    expect(notes).toContain('factor 16 x max_position_embeddings 16,384');
  });

  it('SGLang: the length is said by a key that it reads before max_position_embeddings', () => {
    const { text, notes } = settings(input, 'sglang');
    expect(JSON.parse(flag(text, '--json-model-override-args'))).toMatchObject({
      max_position_embeddings: 16_384,
      model_max_length: 262_144,
    });
    expect(notes).toContain('model_max_length');
  });

  it('an original window at the top level of the file counts as one in the block', () => {
    const phi4 = readFileSync('fixtures/field/03-phi4-mini.json', 'utf8');
    const phi = inputFor(phi4, linear(64), 262_144);
    expect(
      JSON.parse(flag(settings(phi, 'sglang').text, '--json-model-override-args')),
    ).toMatchObject({ max_position_embeddings: 4096, model_max_length: 262_144 });
  });

  it('nothing is lowered where the file has no scaling', () => {
    for (const engine of ['vllm', 'sglang'] as const) {
      const { text } = settings(inputFor(llama, linear(4), 16_384), engine);
      expect(text).not.toContain('max_position_embeddings');
    }
  });
});

describe('a length that the scaling does not reach', () => {
  it('every engine warns', () => {
    const input = inputFor(llama, yarn(4, 4096), 65_536);
    const [vllm] = emit(input, ['vllm']);
    expect(vllm).toMatchObject({ ok: false, reason: expect.stringContaining('16,384 tokens') });
    for (const engine of ['hf', 'sglang', 'tgi'] as const) {
      expect(settings(input, engine).needs.join()).toMatch(/\b16384\b.*\b65536\b/);
    }
    const short = inputFor(llama, linear(4), 65_536);
    expect(settings(short, 'llama.cpp').needs.join()).toMatch(/\b16384\b.*\b65536\b/);
  });

  it('a scaling that continues the trained-in one counts from the trained window', () => {
    // Llama 3.1 was trained on 131,072 with a factor of 8, so 16 is twice that.
    const input = inputFor(llama31, yarn(16, 8192), 262_144);
    expect(settings(input, 'sglang').needs.join()).not.toContain('262144');
    const longer = inputFor(llama31, yarn(16, 8192), 262_145);
    expect(settings(longer, 'sglang').needs.join()).toMatch(/\b262144\b.*\b262145\b/);
  });

  it('llama-server caps a slot at what YaRN reaches', () => {
    const [emission] = emit(inputFor(llama, yarn(4, 4096), 65_536), ['llama.cpp']);
    expect(emission?.ok === false && emission.reason).toContain('16,384 tokens');
  });
});

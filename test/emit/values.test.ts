import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { emit, type EmitInput, type EngineName, ENGINES } from '../../src/emit/index.js';
import { configText, dynamic, flag, inputFor, linear, ntk, QWEN3, yarn } from './input.js';

const llama = configText('Llama-2-7b-hf');

function first(input: EmitInput, engine: EngineName) {
  const [emission] = emit(input, [engine]);
  if (!emission?.ok) throw new Error('refused');
  return { text: emission.settings[0]?.text ?? '', notes: emission.notes };
}

describe('values', () => {
  it('static NTK is theta x alpha^(d / (d - 2)) everywhere', () => {
    const input = inputFor(llama, ntk(4), 16_384);
    // 10000 * 4^(128/126), as bloc97 published it.
    const theta = 10_000 * 4 ** (128 / 126);
    expect(Number(flag(first(input, 'llama.cpp').text, '--rope-freq-base'))).toBeCloseTo(theta, 6);
    const overrides = JSON.parse(flag(first(input, 'vllm').text, '--hf-overrides')) as {
      rope_parameters: { rope_theta: number };
    };
    expect(overrides.rope_parameters.rope_theta).toBeCloseTo(theta, 6);
    expect(overrides).toMatchObject({ max_position_embeddings: 16_384 });
  });

  it('YaRN with attention factor 1 divides the engines’ own temperature out', () => {
    const input = inputFor(llama, yarn(4, 4096, { attentionFactor: 1 }), 16_384);
    const overrides = JSON.parse(flag(first(input, 'vllm').text, '--hf-overrides')) as {
      rope_parameters: { attn_factor: number };
    };
    expect(overrides.rope_parameters.attn_factor).toBeCloseTo(1 / (0.1 * Math.log(4) + 1), 12);
    // vLLM since 0.30 reads this key and drops the other.
    expect(overrides.rope_parameters).toHaveProperty('attention_factor', 1);
    const sglang = JSON.parse(flag(first(input, 'sglang').text, '--json-model-override-args')) as {
      rope_scaling: object;
    };
    expect(sglang.rope_scaling).toHaveProperty('attn_factor');
    expect(sglang.rope_scaling).not.toHaveProperty('attention_factor');
  });

  it('YaRN carries the stretched window, which vLLM since 0.30 and SGLang serve up to', () => {
    const { text } = first(inputFor(llama, yarn(4, 4096), 16_384), 'hf');
    expect(JSON.parse(text)).toMatchObject({ max_position_embeddings: 16_384 });
  });

  it('the window is not raised beside linear and dynamic: that would double it', () => {
    for (const scale of [linear(4), dynamic(4)]) {
      const { text } = first(inputFor(llama, scale, 16_384), 'hf');
      expect(JSON.parse(text)).not.toHaveProperty('max_position_embeddings');
    }
  });

  it('a raised window is taken back for linear, which engines multiply by the factor', () => {
    const raised = JSON.stringify({
      ...(JSON.parse(QWEN3) as object),
      max_position_embeddings: 131_072,
      rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 },
    });
    const { text } = first(inputFor(raised, linear(4), 131_072), 'hf');
    expect(JSON.parse(text)).toMatchObject({ max_position_embeddings: 32_768 });
  });

  it('SGLang needs it raised for YaRN, and only there', () => {
    const raised = first(inputFor(llama, yarn(4, 4096), 16_384), 'sglang').text;
    expect(raised).toContain('"max_position_embeddings":16384');
    expect(first(inputFor(llama, linear(4), 16_384), 'sglang').text).not.toContain('max_position');
  });

  it('vLLM needs it raised for Gemma 3, whose block does not count there', () => {
    const gemma = inputFor(configText('gemma-3-1b-it'), yarn(4, 32_768), 131_072);
    expect(first(gemma, 'vllm').text).toContain('"max_position_embeddings":131072');
  });

  it('it is never raised where the engine multiplies it: a larger factor is asked for', () => {
    const input = inputFor(llama, linear(2), 16_384);
    for (const engine of ['vllm', 'sglang'] as const) {
      const { text, notes } = first(input, engine);
      expect(text).not.toContain('max_position');
      expect(notes.find((note) => note.kind === 'needs' && /8192/.test(note.text))).toBeDefined();
    }
  });

  it('vLLM’s dynamic is said to be static, with the alpha it uses', () => {
    const { notes } = first(inputFor(llama, dynamic(4), 16_384), 'vllm');
    // factor 4: 16 - 4 + 1 (vllm-project/vllm#41236).
    expect(notes.find((note) => note.kind === 'static')?.text).toContain('= 13');
  });

  it('keys that describe the model survive in the new block', () => {
    const config = JSON.stringify({
      ...(JSON.parse(QWEN3) as object),
      rope_scaling: undefined,
      rope_theta: undefined,
      rope_parameters: { rope_type: 'default', rope_theta: 1e6, mrope_section: [24, 20, 20] },
    });
    const input = inputFor(config, yarn(4, 32_768), 131_072);
    const larger = inputFor(config, ntk(4), 131_072);
    for (const engine of ['hf', 'vllm', 'sglang'] as const) {
      expect(
        first(engine === 'vllm' ? larger : input, engine).text.replaceAll(/\s/g, ''),
      ).toContain('"mrope_section":[24,20,20]');
    }
  });
});

it('names the versions whose own code was run, oldest first', () => {
  const file = new URL('../../src/emit/data/checked.json', import.meta.url);
  const checked = JSON.parse(readFileSync(file, 'utf8')) as Partial<
    Record<string, { readonly yarn?: { readonly llama?: readonly string[] } }>
  >;
  expect(Object.keys(checked)).toContain('sglang');
  for (const { engine, checked: named } of emit(inputFor(llama, yarn(4, 4096), 16_384), ENGINES)) {
    expect(named).toEqual(checked[engine]?.yarn?.llama ?? []);
  }
});

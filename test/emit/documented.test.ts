import { describe, expect, it } from 'vitest';
import { emit, type EngineName } from '../../src/emit/index.js';
import { flag, inputFor, QWEN3, yarn } from './input.js';

/** The commands that the engines' own documentation gives for Qwen3 at 131072 tokens. */
const input = inputFor(QWEN3, yarn(4, 32_768), 131_072);

function commandsOf(engine: EngineName, version?: string): string[] {
  const [emission] = emit(input, [engine], version);
  if (!emission?.ok) throw new Error('refused');
  return emission.settings.map((setting) => setting.text);
}

describe('the documented YaRN settings for Qwen3', () => {
  it('vLLM: docs.vllm.ai/en/stable/features/context_extension', () => {
    const [command = ''] = commandsOf('vllm');
    expect(JSON.parse(flag(command, '--hf-overrides'))).toEqual({
      rope_parameters: {
        factor: 4.0,
        original_max_position_embeddings: 32768,
        rope_theta: 1000000,
        rope_type: 'yarn',
      },
      // Since 0.30 vLLM derives the length from this key and refuses the documented command.
      max_position_embeddings: 131_072,
    });
    expect(flag(command, '--max-model-len')).toBe('131072');
  });

  it('vLLM 0.10: docs.vllm.ai/en/v0.10.2/examples/offline_inference/context_extension.html', () => {
    const [command = ''] = commandsOf('vllm', '0.10');
    expect(JSON.parse(flag(command, '--hf-overrides'))).toEqual({
      rope_theta: 1000000,
      rope_scaling: { rope_type: 'yarn', factor: 4.0, original_max_position_embeddings: 32768 },
    });
  });

  it('SGLang: QwenLM/Qwen3 docs/source/deployment/sglang.md', () => {
    const [command = ''] = commandsOf('sglang');
    expect(JSON.parse(flag(command, '--json-model-override-args'))).toMatchObject({
      rope_scaling: { rope_type: 'yarn', factor: 4.0, original_max_position_embeddings: 32768 },
    });
    expect(flag(command, '--context-length')).toBe('131072');
  });

  it('llama.cpp: QwenLM/Qwen3 docs/source/run_locally/llama.cpp.md', () => {
    const [command = ''] = commandsOf('llama.cpp');
    const options = command.replaceAll(/\s*\\\n\s*/g, ' ');
    expect(options).toBe(
      'llama-server -m MODEL.gguf -c 131072 --rope-scaling yarn --rope-scale 4 --yarn-orig-ctx 32768 --override-kv qwen3.context_length=int:131072',
    );
  });

  it('transformers: the model card’s config.json snippet', () => {
    const [v4 = '', v5 = ''] = commandsOf('hf');
    expect(JSON.parse(v4)).toEqual({
      rope_scaling: { rope_type: 'yarn', factor: 4.0, original_max_position_embeddings: 32768 },
      max_position_embeddings: 131_072,
    });
    expect(JSON.parse(v5)).toMatchObject({
      rope_parameters: { rope_type: 'yarn', factor: 4, rope_theta: 1000000 },
    });
  });

  it('TGI: --rope-scaling dynamic --rope-factor (launcher reference)', () => {
    const dynamicInput = inputFor(
      QWEN3,
      ({ theta, rotaryDim }) => ({
        theta,
        rotaryDim,
        type: 'dynamic',
        factor: 2,
        maxPositions: 40_960,
      }),
      81_920,
    );
    const [emission] = emit(dynamicInput, ['tgi']);
    const text = emission?.ok ? emission.settings[0]?.text : '';
    expect(text).toContain('--rope-scaling dynamic');
    expect(text).toContain('--rope-factor 2');
  });
});

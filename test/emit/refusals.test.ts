import { describe, expect, it } from 'vitest';
import { emit, type EngineName } from '../../src/emit/index.js';
import type { EmitInput } from '../../src/emit/index.js';
import { OTHER_WAY } from '../../src/emit/hf-patch.js';
import type { ModelGeometry } from '../../src/model/types.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { configText, dynamic, fixtureText, inputFor, linear, ntk, QWEN3, yarn } from './input.js';

const llama = configText('Llama-2-7b-hf');
const gemma = configText('gemma-3-1b-it');

function refusalOf(input: EmitInput, engine: EngineName, version?: string): string | undefined {
  const [emission] = emit(input, [engine], version);
  return emission?.ok ? undefined : emission?.reason;
}

function insteadOf(input: EmitInput, engine: EngineName): string {
  const [emission] = emit(input, [engine]);
  return emission && !emission.ok ? emission.instead : '';
}

describe('what to do instead', () => {
  it('is another scaling only where the scaling is the reason', () => {
    const dynamicLlama = inputFor(llama, dynamic(4), 16_384);
    expect(insteadOf(dynamicLlama, 'llama.cpp')).toMatch(/choose yarn/);
    expect(insteadOf(inputFor(llama, linear(4), 16_384), 'tgi')).toMatch(/Choose yarn/);
    const phi3 = JSON.stringify({ ...(JSON.parse(llama) as object), model_type: 'phi3' });
    const unread = insteadOf(inputFor(phi3, yarn(4, 4096), 16_384), 'tgi');
    expect(unread).toBe(OTHER_WAY);
    const layered = inputFor(gemma, yarn(4, 32_768), 131_072);
    const latent = inputFor(configText('DeepSeek-V3'), yarn(80, 4096), 327_680);
    expect(insteadOf(layered, 'llama.cpp')).toMatch(/GGUF/);
    expect(insteadOf(latent, 'llama.cpp')).toMatch(/GGUF/);
    for (const text of [
      insteadOf(layered, 'llama.cpp'),
      insteadOf(latent, 'llama.cpp'),
      insteadOf(layered, 'tgi'),
    ]) {
      expect(text).not.toMatch(/choose yarn/i);
    }
  });

  it('is config.json only where the class reads the scaling there', () => {
    const phi3 = JSON.stringify({ ...(JSON.parse(llama) as object), model_type: 'phi3' });
    for (const engine of ['llama.cpp', 'ollama'] as const) {
      expect(insteadOf(inputFor(llama, dynamic(4), 16_384), engine)).toMatch(/config\.json/);
      expect(insteadOf(inputFor(phi3, dynamic(4), 16_384), engine)).not.toMatch(/config\.json/);
    }
    expect(insteadOf(inputFor(phi3, yarn(4, 4096), 16_384), 'ollama')).toMatch(/llama-server/);
    expect(insteadOf(inputFor(llama, dynamic(4), 16_384), 'ollama')).not.toMatch(/llama-server/);
  });
});

describe('an engine refuses what it cannot express', () => {
  it('llama.cpp: dynamic, and a YaRN with its own temperature', () => {
    expect(refusalOf(inputFor(llama, dynamic(4), 16_384), 'llama.cpp')).toMatch(/no dynamic/);
    const byParts = inputFor(llama, yarn(4, 4096, { attentionFactor: 1 }), 16_384);
    expect(refusalOf(byParts, 'llama.cpp')).toMatch(/temperature/);
    const exact = inputFor(llama, yarn(4, 4096, { truncate: false }), 16_384);
    expect(refusalOf(exact, 'llama.cpp')).toMatch(/rounded/);
  });

  it('llama.cpp and SGLang: kinds of layers apart', () => {
    const layered = inputFor(gemma, yarn(4, 32_768), 131_072);
    expect(refusalOf(layered, 'llama.cpp')).toMatch(/\bone kind\b/);
    expect(refusalOf(layered, 'sglang')).toMatch(/\bone kind\b/);
    expect(refusalOf(layered, 'vllm')).toBeUndefined();
  });

  it('TGI: linear, which it accepts and drops', () => {
    expect(refusalOf(inputFor(llama, linear(4), 16_384), 'tgi')).toMatch(/not applied/);
  });

  it('SGLang: settings inside text_config, which overrides do not reach', () => {
    const nested = JSON.stringify({
      model_type: 'qwen2_5_vl',
      text_config: { ...(JSON.parse(QWEN3) as object), model_type: 'qwen3' },
    });
    const input = inputFor(nested, yarn(4, 32_768), 131_072);
    expect(refusalOf(input, 'sglang', '0.5.10')).toMatch(/text_config/);
    expect(refusalOf(input, 'sglang')).toBeUndefined();
  });

  it('vLLM: what the class of a family builds whatever the block says', () => {
    const scale = linear(2);
    const { groups, ...rest } = inputFor(fixtureText('gpt-oss-20b'), scale, 262_144);
    const [first, second] = groups.map((group) => ({
      ...group,
      rope: scale(group.rope),
    }));
    const oss: EmitInput = { ...rest, groups: [first!, second!] };
    expect(refusalOf(oss, 'vllm')).toMatch(/\bgpt_oss\b.*\blinear\b/);
    const latent = inputFor(configText('DeepSeek-V3'), linear(2), 327_680);
    for (const engine of ['vllm', 'sglang'] as const) {
      expect(refusalOf(latent, engine)).toMatch(/linear/);
      expect(
        refusalOf(inputFor(configText('DeepSeek-V3'), ntk(2), 327_680), engine),
      ).toBeUndefined();
    }
  });

  it('vLLM: multimodal YaRN, whose ramp is made from 4 x the window, up to 0.31', () => {
    const model = (type: string) =>
      JSON.stringify({
        ...(JSON.parse(QWEN3) as object),
        model_type: type,
        rope_scaling: { type: 'mrope', mrope_section: [24, 20, 20] },
      });
    const older = inputFor(model('qwen2_5_vl_text'), yarn(4, 40_960), 163_840);
    expect(refusalOf(older, 'vllm')).toMatch(/\b4 x\b/);
    expect(refusalOf(older, 'sglang')).toBeUndefined();
  });

  it('none of them: static NTK, which is a larger theta', () => {
    const input = inputFor(llama, ntk(4), 16_384);
    for (const engine of ['hf', 'vllm', 'sglang', 'llama.cpp', 'tgi'] as const) {
      expect(refusalOf(input, engine)).toBeUndefined();
    }
  });
});

describe('a GGUF that holds a table of factors', () => {
  const llama31 = configText('Meta-Llama-3.1-8B');

  it('keeps it beside any option, so that nothing else can be said', () => {
    for (const rope of [linear(2), ntk(2), yarn(16, 8192)]) {
      expect(refusalOf(inputFor(llama31, rope, 131_072), 'llama.cpp')).toContain('llama3');
    }
  });

  it('needs no option for what it holds', () => {
    const asConfigured = (_: RopeSpec, { groups: [group] }: ModelGeometry): RopeSpec => group!.rope;
    const [emission] = emit(inputFor(llama31, asConfigured, 131_072), ['llama.cpp']);
    expect(emission?.ok && emission.settings.map(({ text }) => text)).toEqual([
      'llama-server -m MODEL.gguf \\\n  -c 131072',
    ]);
  });
});

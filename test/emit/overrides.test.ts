import { describe, expect, it } from 'vitest';
import { emit, type EmitInput } from '../../src/emit/index.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { configText, flag, inputFor, ntk, QWEN3, yarn } from './input.js';

const llama31 = configText('Meta-Llama-3.1-8B');
const qwen = JSON.parse(QWEN3) as object;
const qwenYarn = JSON.stringify({
  ...qwen,
  rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 },
});
const none = (base: RopeSpec): RopeSpec => base;

function sglang(input: EmitInput) {
  const [emission] = emit(input, ['sglang']);
  if (!emission?.ok) throw new Error('refused');
  const text = flag(emission.settings[0]?.text ?? '', '--json-model-override-args');
  // The key that begins each note on what an engine needs.
  const needs = emission.notes.filter(({ kind }) => kind === 'needs');
  const told = needs.map((note) => note.text.split(' ')[0]);
  return { overrides: JSON.parse(text) as unknown, told };
}

function olderVllm(input: EmitInput): unknown {
  const [emission] = emit(input, ['vllm'], '0.10');
  if (!emission?.ok) throw new Error('refused');
  return JSON.parse(flag(emission.settings[0]?.text ?? '', '--hf-overrides'));
}

describe('overrides only set keys', () => {
  it('a block of the file is cleared where theta says it all', () => {
    const cleared = { rope_theta: 1e6, rope_scaling: null };
    expect(olderVllm(inputFor(qwenYarn, none, 32_768))).toEqual(cleared);
    expect(sglang(inputFor(qwenYarn, none, 32_768)).overrides).toEqual(cleared);
    const larger = inputFor(llama31, ntk(4), 32_768);
    expect(olderVllm(larger)).toMatchObject({ rope_scaling: null });
    expect(sglang(larger).overrides).toMatchObject({ rope_scaling: null });
  });

  it('a longrope block is no exception', () => {
    const ones = Array.from({ length: 64 }, () => 1);
    const text = JSON.stringify({
      ...qwen,
      max_position_embeddings: 131_072,
      original_max_position_embeddings: 4096,
      rope_scaling: { type: 'longrope', short_factor: ones, long_factor: ones },
    });
    const input = inputFor(text, ntk(4), 131_072);
    expect(olderVllm(input)).toMatchObject({ rope_scaling: null });
    expect(sglang(input).overrides).toMatchObject({ rope_scaling: null });
  });

  it('what describes the model is kept in a block without a scaling', () => {
    const mrope = { type: 'mrope', mrope_section: [24, 20, 20] };
    const part = { ...qwen, model_type: 'qwen2_vl_text', rope_scaling: mrope };
    const text = JSON.stringify({ model_type: 'qwen2_vl', text_config: part });
    const block = { rope_type: 'default', mrope_section: [24, 20, 20] };
    const input = inputFor(text, ntk(4), 131_072);
    expect(olderVllm(input)).toMatchObject({ text_config: { rope_scaling: block } });
    expect(sglang(input).overrides).toMatchObject({ text_config: { rope_scaling: block } });
  });

  it('settings that move into text_config when the file is loaded are overridden there', () => {
    const mrope = { type: 'mrope', mrope_section: [16, 24, 24] };
    const text = JSON.stringify({ ...qwen, model_type: 'qwen2_5_vl', rope_scaling: mrope });
    const input = inputFor(text, ntk(4), 131_072);
    const [vllm, served] = emit(input, ['vllm', 'sglang']);
    if (!vllm?.ok) throw new Error('refused');
    const block = { rope_parameters: { mrope_section: [16, 24, 24] } };
    const overrides = flag(vllm.settings[0]?.text ?? '', '--hf-overrides');
    expect(JSON.parse(overrides)).toMatchObject({ text_config: block });
    expect(served?.ok).toBe(false);
    expect(emit(input, ['vllm'], '0.18')[0]?.ok).toBe(false);
  });

  it('vLLM with transformers 4 gets the block under both of its names', () => {
    const [emission] = emit(inputFor(qwenYarn, yarn(2, 32_768), 65_536), ['vllm'], '0.18');
    if (!emission?.ok) throw new Error('refused');
    const overrides = flag(emission.settings[0]?.text ?? '', '--hf-overrides');
    const block = { rope_type: 'yarn', factor: 2 };
    const both = { rope_theta: 1e6, rope_scaling: block, rope_parameters: block };
    expect(JSON.parse(overrides)).toMatchObject(both);
    // transformers 5 has one property of both names, so that the complete block is set last.
    expect(overrides.indexOf('rope_parameters')).toBeGreaterThan(overrides.indexOf('rope_scaling'));
  });

  it('a class that makes its table from other keys is refused', () => {
    const dbrx = JSON.stringify({ ...qwen, model_type: 'dbrx' });
    expect(emit(inputFor(dbrx, yarn(2, 32_768), 65_536), ['vllm'])[0]?.ok).toBe(false);
  });

  it('nothing is overridden where the file says it already', () => {
    for (const engine of ['vllm', 'sglang'] as const) {
      const [emission] = emit(inputFor(QWEN3, none, 32_768), [engine]);
      if (!emission?.ok) throw new Error('refused');
      expect(emission.settings[0]?.text).toContain('32768');
      expect(emission.settings[0]?.text).not.toContain('override');
    }
  });

  it('nothing is cleared where there is nothing', () => {
    expect(olderVllm(inputFor(QWEN3, none, 81_920))).toEqual({
      rope_theta: 1e6,
      max_position_embeddings: 81_920,
    });
    const { overrides, told } = sglang(inputFor(QWEN3, none, 81_920));
    expect(overrides).toEqual({ rope_theta: 1e6, max_position_embeddings: 81_920 });
    expect(told).toEqual([]);
  });

  it('SGLang is told of the theta in a block only where one is written', () => {
    const scaled = sglang(inputFor(QWEN3, yarn(4, 32_768), 131_072));
    expect(scaled.told).toEqual(['rope_theta']);
    // transformers 5 makes a block from theta when it loads, and SGLang reads that one first.
    const larger = sglang(inputFor(QWEN3, ntk(4), 131_072));
    expect(larger.overrides).toMatchObject({ rope_scaling: null });
    expect(larger.told).toEqual(['rope_scaling']);
  });
});

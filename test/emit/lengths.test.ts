import { describe, expect, it } from 'vitest';
import { emit, type EmitInput, type Engine } from '../../src/emit/index.js';
import { configText, dynamic, inputFor, linear, yarn } from './input.js';

const llama = configText('Llama-2-7b-hf');
const llama31 = configText('Meta-Llama-3.1-8B');
const qwen = configText('Qwen2.5-7B-Instruct');
const gemma = configText('gemma-3-1b-it');

function settings(input: EmitInput, engine: Engine) {
  const [emission] = emit(input, [engine]);
  if (!emission?.ok) throw new Error('refused');
  return {
    text: emission.settings.map(({ text }) => text).join('\n'),
    notes: emission.notes.map(({ text }) => text).join('\n'),
  };
}

describe('vLLM’s length of YaRN is factor x original window', () => {
  // 16 x 8192 is Llama 3.1's max_position_embeddings by chance.
  it.each([
    ['Llama 3.1, yarn:2', inputFor(llama31, yarn(16, 8192), 262_144), '16 x 8192', 131_072],
    ['Llama 3.1, yarn:4', inputFor(llama31, yarn(32, 8192), 524_288), '32 x 8192', 262_144],
  ])('%s: raising the limit would not help', (_, input, product, derived) => {
    const { text, notes } = settings(input, 'vllm');
    expect(text).not.toContain('"max_position_embeddings"');
    expect(notes).toContain(`would serve ${derived} tokens (factor ${product})`);
    expect(notes).not.toContain('does not count');
    expect(notes).toContain(`Refuses more than ${derived} tokens`);
  });

  it.each([2, 4])('Qwen2.5, yarn:%d: as asked for', (factor) => {
    const length = factor * 32_768;
    const { text, notes } = settings(inputFor(qwen, yarn(factor, 32_768), length), 'vllm');
    expect(text).not.toContain('"max_position_embeddings"');
    expect(notes).toContain(`would serve ${length} tokens (factor ${factor} x 32768)`);
    expect(notes).not.toContain('Refuses');
  });
});

describe('notes follow the rule of the length', () => {
  it('Gemma 3 in vLLM: no factor multiplies it, and the raised limit is what is served', () => {
    const { text, notes } = settings(inputFor(gemma, linear(2), 65_536), 'vllm');
    expect(text).toContain('"max_position_embeddings":65536');
    expect(notes).toContain('max_position_embeddings is raised here');
    expect(notes).not.toContain('Without --max-model-len');
    expect(notes).not.toContain('The factor multiplies');
  });

  it('Gemma 3 with dynamic in vLLM: a larger factor would not help', () => {
    const { notes } = settings(inputFor(gemma, dynamic(2), 65_536), 'vllm');
    expect(notes).toContain('Refuses more than 32768');
    expect(notes).not.toContain('larger factor');
  });

  it('SGLang: says that the limit is raised only where it is', () => {
    const raised = settings(inputFor(llama, yarn(4, 4096), 16_384), 'sglang');
    expect(raised.notes).toContain('is raised here');
    const enough = settings(inputFor(llama31, yarn(16, 8192), 131_072), 'sglang');
    expect(enough.notes).not.toContain('is raised here');
  });
});

describe('a length that the scaling does not reach', () => {
  it('every engine warns', () => {
    const input = inputFor(llama, yarn(4, 4096), 65_536);
    expect(settings(input, 'vllm').notes).toContain('Refuses more than 16384');
    for (const engine of ['hf', 'sglang', 'llama.cpp', 'tgi'] as const) {
      expect(settings(input, engine).notes).toMatch(/covers 16384 tokens only.*65536/);
    }
    const short = inputFor(llama, linear(4), 65_536);
    expect(settings(short, 'llama.cpp').notes).toContain('covers 16384 tokens only');
  });

  it('a scaling that continues the trained-in one counts from the trained window', () => {
    // Llama 3.1 was trained on 131,072 with a factor of 8: 16 is twice that.
    const input = inputFor(llama31, yarn(16, 8192), 262_144);
    expect(settings(input, 'llama.cpp').notes).not.toContain('covers');
    const longer = inputFor(llama31, yarn(16, 8192), 262_145);
    expect(settings(longer, 'llama.cpp').notes).toContain('covers 262144 tokens only');
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { v4Versions } from '../../src/emit/engines/hf.js';
import { emit, type EmitInput, type EngineName } from '../../src/emit/index.js';
import { lostFromOverride } from '../../src/emit/read-back.js';
import { configText, dynamic, fixtureText, inputFor, linear, QWEN3, yarn } from './input.js';

const llama = configText('Llama-2-7b-hf');
const llama31 = configText('Meta-Llama-3.1-8B');
const gemma = configText('gemma-3-1b-it');
const raised = JSON.stringify({
  ...(JSON.parse(QWEN3) as object),
  max_position_embeddings: 131_072,
});

/** Everything that is said beside the settings, or why there are none. */
function said(input: EmitInput, engine: EngineName, version?: string): string {
  const [emission] = emit(input, [engine], version);
  if (!emission?.ok) return emission?.reason ?? '';
  return emission.notes.map(({ text }) => text).join('\n');
}

describe('notes on versions of transformers 4', () => {
  const notes = (input: EmitInput, max: number): string =>
    v4Versions(input, max)
      .notes.map(({ text }) => text)
      .join('\n');

  it.each([
    [
      inputFor(QWEN3, yarn(4, 40_960), 163_840),
      40_960,
      /4\.51 to 4\.55 .* no scaling at all\. There max_position_embeddings must be 163840/,
    ],
    [inputFor(raised, yarn(4, 32_768), 131_072), 131_072, /131072 in place of 32768/],
    [inputFor(raised, yarn(2, 32_768), 65_536), 131_072, /here 4\. There .* must be 65536/],
  ])('%#: say what each makes of the keys', (input, max, words) => {
    expect(notes(input, max)).toMatch(words);
  });
});

describe('notes on the length', () => {
  it.each<[string, EmitInput, EngineName, string]>([
    [
      'raised in vLLM',
      inputFor(gemma, linear(2), 65_536),
      'vllm',
      'as --max-model-len asks; max_position_embeddings is raised here, for vLLM makes the length of it',
    ],
    [
      'raised in SGLang',
      inputFor(llama, yarn(4, 4096), 16_384),
      'sglang',
      'Serves 16,384 tokens; max_position_embeddings is raised here, as SGLang would take',
    ],
    [
      'in another key',
      inputFor(llama31, linear(16), 262_144),
      'sglang',
      'model_max_length says so here',
    ],
    [
      'multiplied',
      inputFor(llama31, linear(16), 262_144),
      'vllm',
      'factor 16 x max_position_embeddings 16,384',
    ],
    ['of a theta', inputFor(llama, dynamic(2), 16_384), 'vllm', 'ntk:7 is what runs'],
    [
      'not covered',
      inputFor(llama, yarn(4, 4096), 65_536),
      'sglang',
      'covers 16384 tokens only, and 65536 are to be served',
    ],
  ])('%s', (_, input, engine, words) => {
    expect(said(input, engine)).toContain(words);
  });
});

it('a note says that theta stands in the block as well', () => {
  expect(said(inputFor(QWEN3, yarn(4, 32_768), 131_072), 'sglang')).toContain(
    'rope_theta stands in the block as well: ',
  );
});

describe('a refusal says why', () => {
  const layered = inputFor(gemma, yarn(4, 32_768), 131_072);
  const multimodal = JSON.stringify({
    ...(JSON.parse(QWEN3) as object),
    model_type: 'qwen2_5_vl_text',
    rope_scaling: { type: 'mrope', mrope_section: [24, 20, 20] },
  });

  it.each<[string, EmitInput, EngineName, string]>([
    ['kinds of layers', layered, 'llama.cpp', 'this model has more than one kind'],
    ['kinds of layers', layered, 'sglang', 'this one has more than one kind of layer'],
    [
      'a table that ends',
      inputFor(llama31, yarn(16, 8192), 262_144),
      'vllm',
      'ends at factor x original window, 131,072 tokens',
    ],
    [
      'a slot that is capped',
      inputFor(llama, yarn(4, 4096), 65_536),
      'llama.cpp',
      'capped at the original window x the factor, 16,384 tokens',
    ],
    [
      'another ramp',
      inputFor(multimodal, yarn(4, 40_960), 163_840),
      'vllm',
      '4 x the original window',
    ],
    ['none of a kind', inputFor(llama, dynamic(4), 16_384), 'llama.cpp', 'there is no dynamic'],
  ])('%s, %#', (_, input, engine, words) => {
    expect(said(input, engine)).toContain(words);
  });

  it('a class that reads something else', () => {
    const { groups, ...rest } = inputFor(fixtureText('gpt-oss-20b'), linear(2), 262_144);
    const [first, second] = groups.map((group) => ({ ...group, rope: linear(2)(group.rope) }));
    expect(said({ ...rest, groups: [first!, second!] }, 'vllm')).toContain(
      'the class of gpt_oss does not take linear',
    );
  });

  it('a key that would be lost', () => {
    const file = new URL('../../tools/conformance/shapes/glm-4.5-air.json', import.meta.url);
    const input = inputFor(readFileSync(file, 'utf8'), yarn(2, 131_072), 32_768);
    const override = { rope_parameters: { rope_type: 'yarn' } };
    expect(lostFromOverride(input, override)).toContain('reads partial_rotary_factor in the block');
  });

  it.each<[string, EmitInput, string, string]>([
    [
      'kinds that need different blocks',
      inputFor(fixtureText('gemma-2-9b-it'), yarn(4, 8192), 32_768),
      'reads one block for all layers, and here its kinds of layers (',
      'Choose a scaling that treats all layers alike.',
    ],
    [
      'a fixed table',
      inputFor(fixtureText('gpt-j-6b'), yarn(4, 2048), 8192),
      'gptj reads neither a scaling nor a theta: its class has one fixed table',
      'Another model, or an engine with options of its own for RoPE.',
    ],
    [
      'a list of rope types',
      inputFor(
        JSON.stringify({
          ...(JSON.parse(QWEN3) as object),
          model_type: 'phi3',
          head_dim: undefined,
        }),
        yarn(4, 40_960),
        163_840,
      ),
      'would refuse such a block: rope_',
      'Choose another scaling, or another engine.',
    ],
  ])('and what to do instead: %s', (_, input, reason, instead) => {
    const [emission] = emit(input, ['hf']);
    if (emission?.ok !== false) throw new Error('written');
    expect(emission.reason).toContain(reason);
    expect(emission.instead).toBe(instead);
  });

  it('what to do where a GGUF holds the scaling', () => {
    const [server, ollama] = emit(inputFor(llama, dynamic(4), 16_384), ['llama.cpp', 'ollama']);
    if (server?.ok !== false || ollama?.ok !== false) throw new Error('written');
    expect(server.instead).toMatch(
      /^Patch config\.json \(emit … --engine hf --write\) and convert it to GGUF again, where the converter knows the scaling; otherwise choose yarn, linear, ntk or theta \(ntk:/,
    );
    expect(ollama.instead).toBe(
      'Patch config.json (emit … --engine hf --write), convert it to GGUF again, import that (FROM ./MODEL.gguf) and set num_ctx 16384.',
    );
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { emit, type EmitInput } from '../../src/emit/index.js';
import { lostFromOverride, misreading } from '../../src/emit/read-back.js';
import type { Block } from '../../src/rope/kind.js';
import { editsOf, flag, inputFor, ntk, yarn } from './input.js';

/** Each model's class reads one more key of its block than the scaling owns. */
const MODELS = [
  { shape: 'glm-4.5-air', key: 'partial_rotary_factor', scale: yarn(2, 131_072) },
  { shape: 'phi-4-mini', key: 'partial_rotary_factor', scale: ntk(2) },
  { shape: 'ministral-3', key: 'llama_4_scaling_beta', scale: yarn(32, 16_384) },
  { shape: 'ministral-3', key: 'original_max_position_embeddings', scale: ntk(2) },
  { shape: 'qwen3-vl', key: 'mrope_section', scale: yarn(2, 262_144) },
] as const;

function inputOf({ shape, scale }: (typeof MODELS)[number]): EmitInput {
  const file = new URL(`../../tools/conformance/shapes/${shape}.json`, import.meta.url);
  return inputFor(readFileSync(file, 'utf8'), scale, 32_768);
}

/** Returns the keys that the printed command sets on the language model's config. */
function overrideOf(input: EmitInput): Block {
  const [emission] = emit(input, ['vllm']);
  if (!emission?.ok) throw new Error(emission?.reason);
  const text = flag(emission.settings[0]?.text ?? '', '--hf-overrides');
  const override = JSON.parse(text) as Record<string, unknown>;
  return (override['text_config'] ?? override) as Block;
}

describe('an override is read back key by key', () => {
  it.each(MODELS)('$shape: $key must be in the block', (model) => {
    const input = inputOf(model);
    const override = overrideOf(input);
    expect(lostFromOverride(input, override)).toBeUndefined();
    const block = override['rope_parameters'] as Block;
    expect(block).toHaveProperty(model.key);
    for (const value of [undefined, 0.123]) {
      const changed = { ...override, rope_parameters: { ...block, [model.key]: value } };
      expect(lostFromOverride(input, changed)).toContain(` ${model.key} `);
    }
  });

  it('a key beside the block that the class reads must stay', () => {
    const input = inputOf(MODELS[0]);
    const override = overrideOf(input);
    expect(lostFromOverride(input, { ...override, hidden_size: 17 })).toContain(
      'reads hidden_size',
    );
    expect(lostFromOverride(input, { ...override, not_read: 17 })).toBeUndefined();
  });
});

describe('a patch is read back key by key', () => {
  it.each(MODELS.slice(2))('$shape: $key must be in the block', (model) => {
    const input = inputOf(model);
    const edits = editsOf(input, 'v5').map(({ path, value }) => {
      if (path.at(-1) !== 'rope_parameters') return { path, value };
      const { [model.key]: lost, ...block } = value as Block;
      expect(lost).toBeDefined();
      return { path, value: block };
    });
    expect(misreading(input, edits)).toContain(` ${model.key} `);
  });
});

it('raises every length of the file that an engine reads', () => {
  const shape = new URL('../../tools/conformance/shapes/llama-2.json', import.meta.url);
  const file = JSON.parse(readFileSync(shape, 'utf8')) as Record<string, unknown>;
  // vLLM takes model_max_length if there is one, and otherwise the smallest of these.
  const lengths = { max_sequence_length: 4096, model_max_length: 4096, seq_length: 1_000_000 };
  const text = JSON.stringify({ ...file, ...lengths });
  const override = overrideOf(inputFor(text, yarn(8, 4096), 32_768));
  expect(override).toMatchObject({
    max_position_embeddings: 32_768,
    max_sequence_length: 32_768,
    model_max_length: 32_768,
  });
  expect(override).not.toHaveProperty('seq_length');
});

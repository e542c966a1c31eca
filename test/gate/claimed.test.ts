import { describe, expect, it } from 'vitest';
import { isNotRope, parseConfig, readModel } from '../../src/config/index.js';
import { chooseReference } from '../../src/config/reference.js';
import { claimedLength } from '../../src/gate/claimed.js';
import { configText } from '../emit/input.js';

function claimOf(name: string, more: object = {}): number {
  const model = readModel(
    parseConfig(JSON.stringify({ ...(JSON.parse(configText(name)) as object), ...more })),
  );
  if (isNotRope(model)) throw new Error('no RoPE');
  return claimedLength(model, chooseReference(model).trainedWindow);
}

const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 };

describe('the length that a config claims', () => {
  it.each([
    ['Llama-2-7b-hf', {}, 4096],
    ['Llama-2-7b-hf', { rope_scaling: { rope_type: 'linear', factor: 8 } }, 32_768],
    ['Llama-2-7b-hf', { rope_scaling: { rope_type: 'dynamic', factor: 2 } }, 8192],
    ['Llama-2-7b-hf', { max_position_embeddings: 16384 }, 16_384],
    ['Qwen2.5-7B-Instruct', { rope_scaling: yarn }, 131_072],
    // Raised and scaled: the block says what it stretches, 4 x 32768.
    ['Qwen2.5-7B-Instruct', { rope_scaling: yarn, max_position_embeddings: 131072 }, 131_072],
    ['Meta-Llama-3.1-8B', {}, 131_072],
  ])('%s with %j is %i', (name, more, length) => {
    expect(claimOf(name, more)).toBe(length);
  });
});

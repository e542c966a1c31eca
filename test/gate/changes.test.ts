import { describe, expect, it } from 'vitest';
import { wordFinding } from '../../src/findings/index.js';
import { changesBetween, describeScaling } from '../../src/gate/changes.js';
import { geometryKeys } from '../../src/gate/differences.js';
import { parseConfig } from '../../src/json/parse.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import type { ModelGeometry } from '../../src/model/types.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { configText } from '../emit/input.js';

function read(text: string): ModelGeometry {
  const model = readModel(parseConfig(text));
  if (isNotRope(model)) throw new Error('no RoPE');
  return model;
}

function wordsFor(name: string, more: object): string[] {
  const before = configText(name);
  const after = JSON.stringify({ ...(JSON.parse(before) as object), ...more });
  return changesBetween(read(before), read(after), geometryKeys(after)).map(wordFinding);
}

describe('what changed between two configs', () => {
  it('is nothing where RoPE is the same', () => {
    expect(wordsFor('Qwen2.5-7B-Instruct', { rms_norm_eps: 1 })).toEqual([]);
  });

  it.each([
    [{ rope_theta: 5e6 }, ['rope_theta: theta was 1000000 and is now 5000000']],
    [
      { max_position_embeddings: 65536 },
      ['max_position_embeddings: the window was 32768 tokens and is now 65536'],
    ],
    [
      { rope_scaling: { rope_type: 'dynamic', factor: 2 } },
      [
        'rope_scaling: the scaling was none and is now dynamic factor=2 max_position_embeddings=32768',
      ],
    ],
    [
      { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 8192 } },
      [
        'rope_scaling: the scaling was none and is now yarn factor=4 ' +
          'original_max_position_embeddings=8192 beta_fast=32 beta_slow=1 truncate=true',
      ],
    ],
  ])('is named with its key: %j', (more, words) => {
    expect(wordsFor('Qwen2.5-7B-Instruct', more)).toEqual(words);
  });

  it('is said for each kind of layer', () => {
    const words = wordsFor('gemma-3-1b-it', { rope_theta: 2e6 });
    expect(words).toEqual([
      'rope_theta: theta of full_attention layers was 1000000 and is now 2000000',
    ]);
  });
});

it('names the window of local layers, which max_position_embeddings says nothing about', () => {
  expect(wordsFor('gemma-3-1b-it', { sliding_window: 1024 })).toEqual([
    'sliding_window: the window of layers 0–4, 6–10, 12–16, 18–22, 24–25 was 512 tokens and is now 1024',
  ]);
});

it('keeps long lists of divisors short', () => {
  const longFactor = Array.from({ length: 64 }, (_, pair) => 1 + pair);
  const rope = { type: 'longrope', longFactor, factor: 4 } as unknown as RopeSpec;
  expect(describeScaling(rope)).toBe(
    'longrope long_factor=[64 numbers from 1 to 64, mean 32.500000] factor=4',
  );
});

import { describe, expect, it } from 'vitest';
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

/** The code, the key and the values of what a change of these keys is found to be. */
function changesFor(name: string, more: object) {
  const before = configText(name);
  const after = JSON.stringify({ ...(JSON.parse(before) as object), ...more });
  return changesBetween(read(before), read(after), geometryKeys(after)).map(
    ({ code, path, args }) => ({ code, path, args }),
  );
}

describe('what changed between two configs', () => {
  it('is nothing where RoPE is the same', () => {
    expect(changesFor('Qwen2.5-7B-Instruct', { rms_norm_eps: 1 })).toEqual([]);
  });

  it.each([
    [{ rope_theta: 5e6 }, 'RE060', 'rope_theta', 1e6, 5e6],
    [{ max_position_embeddings: 65536 }, 'RE061', 'max_position_embeddings', 32768, 65536],
    [
      { rope_scaling: { rope_type: 'dynamic', factor: 2 } },
      'RE062',
      'rope_scaling',
      'none',
      'dynamic factor=2 max_position_embeddings=32768',
    ],
    [
      { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 8192 } },
      'RE062',
      'rope_scaling',
      'none',
      'yarn factor=4 original_max_position_embeddings=8192 beta_fast=32 beta_slow=1 truncate=true',
    ],
  ])('is named with its key: %j', (more, code, path, was, found) => {
    const args = { was, found, layers: '' };
    expect(changesFor('Qwen2.5-7B-Instruct', more)).toEqual([{ code, path, args }]);
  });

  it('is said for each kind of layer', () => {
    const args = { was: 1e6, found: 2e6, layers: 'full_attention' };
    expect(changesFor('gemma-3-1b-it', { rope_theta: 2e6 })).toEqual([
      { code: 'RE060', path: 'rope_theta', args },
    ]);
  });
});

it('names the window of local layers, which max_position_embeddings says nothing about', () => {
  const args = { was: 512, found: 1024, layers: '0–4, 6–10, 12–16, 18–22, 24–25' };
  expect(changesFor('gemma-3-1b-it', { sliding_window: 1024 })).toEqual([
    { code: 'RE069', path: 'sliding_window', args },
  ]);
});

it('keeps long lists of divisors short', () => {
  const longFactor = Array.from({ length: 64 }, (_, pair) => 1 + pair);
  const rope = { type: 'longrope', longFactor, factor: 4 } as unknown as RopeSpec;
  expect(describeScaling(rope)).toBe(
    'longrope long_factor=[64 numbers from 1 to 64, mean 32.500000] factor=4',
  );
});

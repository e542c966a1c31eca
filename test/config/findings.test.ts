import { describe, expect, it } from 'vitest';
import { wordFinding } from '../../src/findings/index.js';
import { kinds, LLAMA, read } from '../read.js';

const YARN = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 4096 };
const GEMMA3 = {
  model_type: 'gemma3_text',
  hidden_size: 1152,
  num_attention_heads: 4,
  num_hidden_layers: 26,
  max_position_embeddings: 32768,
  head_dim: 256,
  sliding_window: 512,
  rope_theta: 1e6,
  rope_local_base_freq: 1e4,
};

/** What transformers ignores silently or with a line in a log. */
const CASES: readonly (readonly [string, object, string, RegExp])[] = [
  [
    'a factor without a type',
    { rope_scaling: { factor: 4 } },
    'missing_rope_type',
    /add "rope_type"/,
  ],
  [
    'a misspelt key in the block',
    { max_position_embeddings: 16384, rope_scaling: { ...YARN, atention_factor: 1.2 } },
    'unknown_key',
    /did you mean "attention_factor"/,
  ],
  ['a misspelt key outside it', { rope_tetha: 5e5 }, 'misspelt_key', /did you mean "rope_theta"/],
  [
    'theta inside and outside the block',
    { rope_parameters: { rope_type: 'default', rope_theta: 5e5 } },
    'conflict',
    /500000 \(rope_parameters\.rope_theta\) is used, 10000 is ignored/,
  ],
  [
    'two original windows',
    { original_max_position_embeddings: 2048, max_position_embeddings: 8192, rope_scaling: YARN },
    'conflict',
    /2048 .* is used, 4096 is ignored/,
  ],
  [
    'two blocks',
    { rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_type: 'default' } },
    'two_blocks',
    /rope_parameters/,
  ],
  [
    'dynamic over a window that was raised already',
    {
      max_position_embeddings: 16384,
      rope_scaling: { type: 'dynamic', factor: 4, original_max_position_embeddings: 4096 },
    },
    'double_scaling',
    /already 4 x the original window 4096/,
  ],
  [
    'a factor that contradicts the windows',
    { max_position_embeddings: 8192, rope_scaling: YARN },
    'factor_mismatch',
    /8192 \/ 4096 = 2/,
  ],
  [
    'mscale without mscale_all_dim',
    { max_position_embeddings: 16384, rope_scaling: { ...YARN, mscale: 1 } },
    'mscale_alone',
    /mscale_all_dim/,
  ],
  ['a theta that becomes a class default', { rope_theta: undefined }, 'missing_theta', /10000/],
];

describe('what transformers lets through becomes a finding', () => {
  it.each(CASES)('%s', (_name, change, kind, message) => {
    const model = read({ ...LLAMA, ...change });
    expect(kinds(model)).toContain(kind);
    expect(model.findings.map(wordFinding).join('\n')).toMatch(message);
  });

  it('a scaling on sliding layers is a pure loss', () => {
    const model = read({
      ...LLAMA,
      model_type: 'mistral',
      sliding_window: 1024,
      rope_scaling: { type: 'linear', factor: 4 },
    });
    expect(kinds(model)).toContain('local_stretch');
  });

  it('Gemma 3 scales its global layers only, so there is no such loss', () => {
    const model = read({ ...GEMMA3, rope_scaling: { rope_type: 'linear', factor: 8 } });
    expect(kinds(model)).not.toContain('local_stretch');
  });

  it('Gemma 3 does not apply a block that has only the legacy type key', () => {
    const model = read({ ...GEMMA3, rope_scaling: { type: 'linear', factor: 8 } });
    expect(model.groups[0]?.rope.type).toBe('default');
    expect(kinds(model)).toContain('type_not_applied');
  });

  it('a sound config has no findings', () => {
    expect(read(LLAMA).findings).toEqual([]);
  });
});

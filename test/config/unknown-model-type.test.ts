import { describe, expect, it } from 'vitest';
import { kinds, LLAMA, read } from '../read.js';
import { errorAt } from '../helpers/errors.js';

describe('an unknown model type', () => {
  it('with ordinary keys is read as a plain decoder, with a warning', () => {
    const model = read({ ...LLAMA, model_type: 'brand_new', partial_rotary_factor: 0.5 });
    expect(kinds(model)).toEqual(['unknown_model_type']);
    expect(model.groups[0]?.rope.rotaryDim).toBe(64);
  });

  it('with the keys of latent attention is read as that', () => {
    const model = read({
      ...LLAMA,
      model_type: 'brand_new',
      kv_lora_rank: 512,
      qk_rope_head_dim: 64,
      qk_nope_head_dim: 128,
    });
    expect(model.attention.latent).toEqual({
      rank: 512,
      ropeDim: 64,
      nopeDim: 128,
      valueDim: 128,
    });
    expect(model.groups[0]?.rope.rotaryDim).toBe(64);
  });

  it('without any rope key is an error that suggests a known type', () => {
    const unknown = () => read({ ...LLAMA, rope_theta: undefined, model_type: 'mistrall' });
    expect(unknown).toThrow(errorAt('unknown_model_type', { path: 'model_type' }));
    expect(unknown).toThrow(/"mistral"/);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    '%s is not found in any table',
    (model_type) => {
      expect(kinds(read({ ...LLAMA, model_type }))).toEqual(['unknown_model_type']);
    },
  );
});

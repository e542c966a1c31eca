import { expect, it } from 'vitest';
import { readGeometry } from '../../tools/validation/values.js';

const whole = { head_dim: 128, rope_theta: 1e4, trained_context: 2048 };
const geometry = { rotaryDim: 128, rotaryShare: 1, theta: 1e4, window: 2048 };

it.each([
  ['our names', whole, geometry],
  ['text', { head_dim: '128', rope_theta: '10,000', trained_context: '2k' }, geometry],
  [
    'the names of a config',
    {
      hidden_size: 4096,
      num_attention_heads: 32,
      rope_theta: 1e4,
      max_position_embeddings: 2048,
      rope_scaling: null,
    },
    geometry,
  ],
  ['a block that scales nothing', { ...whole, rope_scaling: { rope_type: 'default' } }, geometry],
  [
    'a partial rotation',
    { ...whole, partial_rotary_factor: 0.25 },
    { ...geometry, rotaryDim: 32, rotaryShare: 0.25 },
  ],
  ['rotary_dim', { ...whole, rotary_dim: 64 }, { ...geometry, rotaryDim: 64, rotaryShare: 0.5 }],
])('reads %s', (_, model, expected) => {
  expect(readGeometry(model)).toEqual(expected);
});

it.each([
  [undefined, /not given/],
  [{ ...whole, head_dim: 'not stated' }, /not given/],
  [{ ...whole, rope_theta: 1 }, /above 1/],
  [{ ...whole, trained_context: 4 }, /at least 16/],
  [{ ...whole, head_dim: 25 }, /even/],
  [{ ...whole, rope_scaling: { type: 'yarn', factor: 4 } }, /trained with a scaling/],
])('says what is wrong with %j', (model, reason) => {
  expect(readGeometry(model)).toMatch(reason);
});

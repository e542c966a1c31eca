import { expect, it } from 'vitest';
import { readMethod } from '../../tools/validation/methods.js';

it.each([
  ['linear/PI', 'linear'],
  ['PI', 'linear'],
  ['Position Interpolation', 'linear'],
  ['positional interpolation (Chen et al.)', 'linear'],
  ['linear scaling', 'linear'],
  ['ntk-aware (static)', 'ntk'],
  ['NTK', 'ntk'],
  ['Static NTK', 'ntk'],
  ['NTK-RoPE (fixed)', 'ntk'],
  ['NTK-by-parts', 'by-parts'],
  ['ntk_by_parts', 'by-parts'],
  ['by-parts', 'by-parts'],
  ['NTK (by parts)', 'by-parts'],
  ['YaRN', 'yarn'],
  ['yarn (static, vLLM)', 'yarn'],
  ['dynamic', 'dynamic'],
  ['dynamic ntk', 'dynamic'],
  ['Dynamic NTK-aware', 'dynamic'],
  ['NTK-aware (dynamic)', 'dynamic'],
  ['dynamic linear/PI', 'dynamic-linear'],
  ['dynamic ntk-by-parts', 'dynamic-by-parts'],
  ['dynamic-yarn', 'dynamic-yarn'],
  ['YaRN (dynamic)', 'dynamic-yarn'],
  ['llama3', 'llama3'],
  ['Llama-3.1 scaling', 'llama3'],
  ['LongRoPE', 'longrope'],
  ['su', 'longrope'],
  ['abf', 'theta'],
  ['Adjusted Base Frequency', 'theta'],
  ['rope_theta', 'theta'],
  ['none', 'none'],
  ['no scaling', 'none'],
  ['original RoPE', 'none'],
  ['base model', 'none'],
  ['direct extrapolation', 'none'],
])('%s is %s', (name, method) => {
  expect(readMethod(name)?.method).toBe(method);
});

it.each(['yarn:4', 'YaRN (s=4)', 'yarn-4', 'YaRN x4', 'yarn 4x', 'yarn (factor 4.0)'])(
  'the factor of %s is 4',
  (name) => {
    expect(readMethod(name)).toEqual({ method: 'yarn', number: 4 });
  },
);

it.each([
  ['base=1e6', 1e6],
  ['ABF (theta = 500,000)', 5e5],
  ['theta:500k', 5e5],
])('the base of %s is read', (name, number) => {
  expect(readMethod(name)).toEqual({ method: 'theta', number });
});

it('a factor that follows the length makes a method dynamic', () => {
  expect(readMethod('yarn', 'max(1,l/L)')?.method).toBe('dynamic-yarn');
  expect(readMethod('ntk-aware', 'L/l')?.method).toBe('dynamic');
  expect(readMethod('yarn', '4')?.method).toBe('yarn');
});

it.each([
  'Resonance YaRN',
  'YaRN + logn',
  'ABF + PI',
  'NTK/YaRN',
  'Self-Extend',
  'ReRoPE',
  'ALiBi',
  'constructor',
  '',
])('%s is none of ours', (name) => {
  expect(readMethod(name)).toBeUndefined();
});

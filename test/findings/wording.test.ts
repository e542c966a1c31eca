import { expect, it } from 'vitest';
import { finding, wordFinding } from '../../src/findings/index.js';
import { findingLines } from '../../src/report/sections/findings.js';

const replaced = (candidate: string, path = 'full_attention') =>
  finding('trained_scaling_discarded', path, { candidate, trained: 'llama3' });

it('says once what holds for several candidates of the same layers', () => {
  const found = [replaced('yarn:4'), replaced('none', 'chunked_attention'), replaced('ntk:4')];
  expect(findingLines(found).map(({ text }) => text)).toEqual([
    'full_attention: the llama3 scaling that the weights were trained with is replaced by yarn:4, ntk:4',
    'chunked_attention: the llama3 scaling that the weights were trained with is replaced by none',
  ]);
});

it('joins nothing that differs', () => {
  const local = (candidate: string, window: number) =>
    finding('candidate_reaches_local_layers', 'sliding_attention', {
      candidate,
      layers: 32,
      span: 'sliding-window',
      window,
    });
  expect(findingLines([local('yarn:4', 4096), local('ntk:4', 8192)])).toHaveLength(2);
});

it.each([
  [
    finding('factor_below_one', 'rope_scaling.factor', { factor: 0.5 }),
    'rope_scaling.factor: factor 0.5 shortens the window; a factor is at least 1',
  ],
  [
    finding('dynamic_forms_differ', '', {
      candidate: 'dynamic:4',
      form: 'static',
      quantity: 'accuracy',
      value: -0.3,
      tokens: 131_072,
      probe: 'needle',
    }),
    'dynamic:4 as one static table finds 30.0 percentage points fewer facts at 131,072 tokens ' +
      'than when recomputed at each length',
  ],
  [
    finding('theta_changed', 'rope_theta', { was: 1e6, found: 2e6, layers: 'full_attention' }),
    'rope_theta: theta of full_attention layers was 1000000 and is now 2000000',
  ],
  [
    finding('window_changed', 'max_position_embeddings', { was: 32768, found: 65536, layers: '' }),
    'max_position_embeddings: the window was 32768 tokens and is now 65536',
  ],
  [
    finding('scaling_changed', 'rope_scaling', {
      was: 'none',
      found: 'linear factor=4',
      layers: '',
    }),
    'rope_scaling: the scaling was none and is now linear factor=4',
  ],
])('is a path and a sentence: %#', (found, words) => {
  expect(wordFinding(found)).toBe(words);
});

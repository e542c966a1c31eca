import { expect, it } from 'vitest';
import { finding } from '../../src/findings/index.js';
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

import { expect, it } from 'vitest';
import { causalMask, PlaceBias } from '../../src/subjects/bundled/session.js';

const UNSEEN = -1e9;

it('a bias by distance becomes one by query and key, with what lies ahead masked', () => {
  const bias = new PlaceBias(2);
  expect([...bias.of(3, Float32Array.of(1, 2, 3, 10, 20, 30))]).toEqual(
    [
      [1, UNSEEN, UNSEEN, 2, 1, UNSEEN, 3, 2, 1],
      [10, UNSEEN, UNSEEN, 20, 10, UNSEEN, 30, 20, 10],
    ].flat(),
  );
});

it('without a bias it is the causal mask of every head, also after another length', () => {
  const bias = new PlaceBias(2);
  bias.of(5, undefined);
  bias.of(3, Float32Array.of(1, 2, 3, 4, 5, 6));
  expect([...bias.of(3, undefined)]).toEqual([...causalMask(3), ...causalMask(3)]);
});

import { expect, it } from 'vitest';
import { staticForm } from '../../src/rope/kinds/dynamic.js';
import { computeRope, type RopeSpecOf } from '../../src/rope/registry.js';

const dynamic = (factor: number): RopeSpecOf<'dynamic'> => ({
  type: 'dynamic',
  factor,
  maxPositions: 4096,
  theta: 10_000,
  rotaryDim: 128,
});

it.each([2, 4, 8])('has alpha F^2 - F + 1 at factor %d, as vLLM', (factor) => {
  const found = staticForm(dynamic(factor));
  expect(found).toMatchObject({ type: 'ntk', alpha: factor ** 2 - factor + 1 });
  const atLength = computeRope(dynamic(factor), factor * 4096);
  expect(Array.from(computeRope(found).invFreq)).toEqual(Array.from(atLength.invFreq));
});

it('is no scaling at all at factor 1, however few dimensions rotate', () => {
  expect(staticForm({ ...dynamic(1), rotaryDim: 2 })).toEqual({
    type: 'default',
    theta: 10_000,
    rotaryDim: 2,
  });
});

it('is the table of a length where one is given', () => {
  for (const length of [4096, 16_384, 131_072]) {
    const found = computeRope(staticForm(dynamic(1), length));
    const atLength = computeRope(dynamic(1), length);
    expect(Array.from(found.invFreq)).toEqual(Array.from(atLength.invFreq));
  }
});

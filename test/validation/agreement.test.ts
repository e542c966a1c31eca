import { describe, expect, it } from 'vitest';
import { count, kendallTau, pairs, publishedOrder } from '../../tools/validation/agreement.js';
import { llamaRows } from './rows.js';

const order = (metric: string, a: number | string, b: number | string) => {
  const [x, y] = llamaRows(
    [
      { method: 'linear:2', length: 4096, value: a },
      { method: 'yarn:2', length: 4096, value: b },
    ],
    metric,
  );
  return publishedOrder(x!, y!);
};

describe('a clear difference', () => {
  it.each([
    ['perplexity', 10, 11.1, -1],
    ['perplexity', 10, 10.9, 0],
    ['perplexity', '>10', 8, 1],
    ['perplexity', '>10', 9.5, 0],
    ['perplexity', '>10', '>100', 0],
    ['perplexity', 'inf', 900, 1],
    ['perplexity', 'inf', 'inf', 0],
    ['loss', 2, 2.11, -1],
    ['loss', 2, 2.09, 0],
    ['accuracy', 0.5, 0.39, -1],
    ['accuracy', 0.5, 0.41, 0],
    ['accuracy (%)', 50, 39, -1],
    ['accuracy (%)', 50, 41, 0],
    ['accuracy (%)', '<5', 50, 1],
  ] as const)('%s %s v %s: %i', (metric, a, b, expected) => {
    expect(order(metric, a, b)).toBe(expected);
  });
});

it('pairs stand at one length and are different scalings', () => {
  const rows = llamaRows([
    { method: 'yarn:2', length: 4096, value: 4 },
    { method: 'yarn:2', length: 4096, value: 8 }, // another seed
    { method: 'ntk:2', length: 8192, value: 20 },
    { method: 'ntk:2', length: 4096, value: 20 },
    { method: 'dynamic ntk', length: 4096, value: 30 }, // alpha 2: the same scaling
    { method: 'linear:4', length: 4096, value: 40 },
  ]);
  const found = pairs(rows).map((p) => [rows.indexOf(p.a), rows.indexOf(p.b), p.sameFactor]);
  expect(found).toEqual([
    [0, 3, true],
    [0, 4, true],
    [0, 5, false],
    [1, 3, true],
    [1, 4, true],
    [1, 5, false],
    [3, 5, false],
    [4, 5, false],
  ]);
});

it('a predictor that says the same of both agrees with neither order', () => {
  const list = pairs(
    llamaRows([
      { method: 'yarn:2', length: 4096, value: 4 },
      { method: 'ntk:2', length: 4096, value: 20 },
    ]),
  );
  expect(count(list, (row) => row.low)).toEqual({ agree: 1, total: 1 });
  expect(count(list, () => 0)).toEqual({ agree: 0, total: 1 });
});

it("Kendall's tau", () => {
  expect(kendallTau({ agree: 3, total: 4 })).toBe(0.5);
  expect(kendallTau({ agree: 0, total: 0 })).toBeNull();
});

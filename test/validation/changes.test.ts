import { expect, it } from 'vitest';
import { changeError, publishedChanges, withinTwo } from '../../tools/validation/agreement.js';
import { llamaRows } from './rows.js';

const table = (metric: string, none: number, ...scaled: (number | string)[]) =>
  llamaRows(
    [
      { method: 'none', length: 2048, value: none },
      { method: 'none', length: 4096, value: 90 },
      { method: 'dynamic ntk', length: 2048, value: none },
      ...scaled.map((value, i) => ({ method: `linear:${i + 2}`, length: 2048, value })),
      { method: 'linear:2', length: 4096, value: 9 },
    ],
    metric,
  );

it('are ln ratios of perplexity, differences of loss, bounds where censored', () => {
  const ppl = publishedChanges(table('perplexity', 4, 8, '>16', 'inf'));
  expect(ppl.map((c) => c.nats)).toEqual([Math.log(2), Math.log(4)]);
  expect(ppl.map((c) => c.bound)).toEqual([false, true]);
  const [loss] = publishedChanges(table('loss', 2, 2.5));
  expect(loss!.nats).toBe(0.5);
});

it('accuracies, and tables without the unscaled model, have none', () => {
  expect(publishedChanges(table('accuracy', 0.9, 0.5))).toEqual([]);
  expect(publishedChanges(table('perplexity', 4, 8).slice(1))).toEqual([]);
});

it('a factor of two counts, above a bound anything does, no change says nothing', () => {
  const changes = publishedChanges(table('loss', 2, 2.4, '>2.4', 2.001));
  const within = (nats: number) => withinTwo(changes, () => nats);
  expect(within(0.2)).toEqual({ agree: 2, total: 2 });
  expect(within(0.81)).toEqual({ agree: 1, total: 2 });
  expect(within(0.19)).toEqual({ agree: 0, total: 2 });
});

it('errors are squared ln ratios; above a bound there is none', () => {
  const changes = publishedChanges(table('loss', 2, 2.4, '>2.4'));
  expect(changeError(changes, () => 0.8)).toBeCloseTo(Math.LN2 ** 2, 12);
  expect(changeError(changes, () => 0.2)).toBeCloseTo(2 * Math.LN2 ** 2, 12);
});

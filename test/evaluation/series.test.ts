import { expect, it } from 'vitest';
import { QuestionList, type ContextSet } from '../../src/evaluation/questions.js';
import { AskedSeries, divide } from '../../src/evaluation/series.js';
import type { Context } from '../../src/probes/contexts.js';
import type { ScoreRequest } from '../../src/subjects/subject.js';

const setOf = (count: number): ContextSet => ({
  name: 'long',
  lengths: [4, 8],
  contexts: Array.from(
    { length: count },
    (_, i) => ({ tokens: [i], rows: [0] }) as unknown as Context,
  ),
});
/** Answers with the number of the context. */
const respondent = {
  lanes: 1,
  tokensPerRequest: 8,
  score: async ({ contexts }: ScoreRequest) =>
    contexts.map(({ tokens }) => ({
      logProbability: Float32Array.of(tokens[0]!),
      correct: Uint8Array.of(1),
    })),
};
const treatment = { digest: 'a' };

it.each([
  [12, [3, 3, 6], { quarter: 1, half: 2, whole: 3 }],
  [2, [1, 1], { quarter: 1, half: 1, whole: 2 }],
  [1, [1], { quarter: 1, half: 1, whole: 1 }],
  [0, [], { quarter: 0, half: 0, whole: 0 }],
])('divides %d contexts', (count, sizes, upTo) => {
  const series = divide(setOf(count));
  expect(series.portions.map(({ contexts }) => contexts.length)).toEqual(sizes);
  expect(series.upTo).toEqual(upTo);
  expect(series.portions.flatMap(({ contexts }) => contexts)).toEqual(setOf(count).contexts);
});

it('keeps what belongs together in one portion', () => {
  const sizes = divide(setOf(20), 5).portions.map(({ contexts }) => contexts.length);
  expect(sizes).toEqual([5, 5, 10]);
});

it('gives the contexts of all portions that were answered, in order', async () => {
  const questions = new QuestionList({ lossScale: 1 });
  const series = divide(setOf(8));
  const asked = new AskedSeries(questions, series, [treatment, treatment], 'one');
  expect(asked.measurement()).toBeUndefined();
  expect(asked.workUpTo('whole')).toBe(8 * 8);
  asked.ask(series.upTo.half);
  await questions.answer(respondent);
  expect(asked.measurement()!.contexts).toHaveLength(4);
  expect(asked.answered).toBe(true);
  asked.ask(series.upTo.whole);
  // What has not been answered yet does not count.
  expect(asked.answered).toBe(false);
  expect(asked.measurement()!.contexts).toHaveLength(4);
  await questions.answer(respondent);
  const scores = asked.measurement()!.at[1]!.map(({ logProbability }) => logProbability[0]);
  expect(scores).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

it('takes a portion that ends at a shorter rung', async () => {
  const questions = new QuestionList({ lossScale: 1 });
  const series = divide(setOf(4));
  const asked = new AskedSeries(questions, series, [treatment, { digest: 'b' }], 'one');
  series.portions.push({ ...setOf(2), name: 'long from 4', lengths: [4] });
  asked.ask(series.portions.length);
  await questions.answer(respondent);
  const { at, contexts } = asked.measurement()!;
  expect(contexts).toHaveLength(6);
  expect(at.map((scores) => scores.length)).toEqual([6, 6]);
});

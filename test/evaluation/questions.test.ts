import { expect, it } from 'vitest';
import { type ContextSet, QuestionList, type Respondent } from '../../src/evaluation/questions.js';
import type { ScoreRequest } from '../../src/subjects/subject.js';

const context = (first: number) => ({
  tokens: Array.from({ length: 1024 }, (_, t) => (first + t) % 256),
  rows: [first, 700],
  targets: [1, 2],
  items: [],
  head: 0,
  chance: 0,
});
const set = {
  name: 'long',
  lengths: [1024],
  contexts: Array.from({ length: 7 }, (_, i) => context(i)),
} as unknown as ContextSet;
const one = { digest: 'one' };
const two = { digest: 'two' };

/** Answers with the negative first token of each context. Later requests are answered sooner. */
function respondent(lanes: number, act: (run: number) => void = () => {}) {
  let [under, runs] = [0, 0];
  const self = {
    most: 0,
    lanes,
    tokensPerRequest: 1024,
    score: async ({ contexts }: ScoreRequest) => {
      self.most = Math.max(self.most, ++under);
      const run = runs++;
      await new Promise((resolve) => setTimeout(resolve, 5 * (3 - (run % 3))));
      under--;
      act(run);
      return contexts.map(({ tokens }) => ({
        logProbability: Float32Array.of(-tokens[0]!, -tokens[0]!),
        correct: new Uint8Array(2),
      }));
    },
  };
  return self satisfies Respondent & { most: number };
}

function questions() {
  const list = new QuestionList({ lossScale: 1 });
  const asked = list.ask(set, [one], 'one');
  list.ask(set, [two], 'two');
  return { list, asked };
}

it.each([1, 3])('puts scores where they belong with %d requests at once', async (lanes) => {
  const [{ list, asked }, runner] = [questions(), respondent(lanes)];
  expect(await list.answer(runner)).toBe(true);
  expect(runner.most).toBe(lanes);
  expect(list.tokens).toBe(list.totalTokens);
  const scores = list.measurement(asked)!.at[0]!;
  expect(scores.map((s) => -s.logProbability[0]!)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

it('keeps what was finished when it is stopped, and goes on from there', async () => {
  const [{ list }, controller] = [questions(), new AbortController()];
  const { signal } = controller;
  const stop = (run: number) => run === 8 && controller.abort();
  expect(await list.answer(respondent(2, stop), { signal })).toBe(false);
  expect(list.finished()).toHaveLength(1);
  const next = questions();
  next.list.resume(list.finished());
  expect(next.list.tokens).toBe(7 * 1024);
  expect(await next.list.answer(respondent(2))).toBe(true);
  expect(next.list.tokens).toBe(next.list.totalTokens);
});

const bytes = (values: Float32Array | Uint8Array): string =>
  Buffer.from(values.buffer).toString('base64');

it.each<[string, Float32Array, Uint8Array]>([
  ['more than certain', Float32Array.of(5, -1), Uint8Array.of(1, 0)],
  ['hits that count seven times', Float32Array.of(-1, -1), Uint8Array.of(7, 0)],
  ['fewer than were asked', Float32Array.of(-1), Uint8Array.of(1)],
  ['no number', Float32Array.of(NaN, -1), Uint8Array.of(1, 0)],
])('asks again where saved answers cannot be: %s', async (_, logProbability, correct) => {
  const { list } = questions();
  await list.answer(respondent(2));
  const forged = { logProbability: bytes(logProbability), correct: bytes(correct) };
  const saved = list.finished().map((each) => ({
    ...each,
    contexts: each.contexts.map((context, i) => (i === 3 ? forged : context)),
  }));
  const next = questions();
  next.list.resume(saved);
  expect(next.list.tokens).toBe(0);
});

it('stops all where one request fails, and says why', async () => {
  const failure = new Error('out of memory');
  const { list } = questions();
  const runner = respondent(2, (run) => {
    if (run === 1) throw failure;
  });
  await expect(list.answer(runner)).rejects.toBe(failure);
  expect(list.tokens).toBeLessThan(list.totalTokens);
});

it('asks one treatment once, to the longest length that anyone wants', async () => {
  const ladder: ContextSet = { ...set, lengths: [512, 1024] };
  const list = new QuestionList({ lossScale: 1 });
  // A dynamic scaling has the reference's table within the window and another one beyond.
  const dynamic = list.ask(ladder, [one, two], 'dynamic');
  expect(list.totalTokens).toBe(7 * (512 + 1024));
  await list.answer(respondent(1));
  expect(list.measurement(dynamic)).toBeDefined();
  const reference = list.ask(ladder, [one, one], 'reference');
  expect(list.measurement(reference)).toBeUndefined();
  await list.answer(respondent(1));
  expect(list.measurement(reference)).toBeDefined();
});

it('ends with the name of the scaling where an answer is no number', async () => {
  const { list } = questions();
  const broken: Respondent = {
    lanes: 1,
    tokensPerRequest: 1024,
    score: ({ contexts }: ScoreRequest) =>
      Promise.resolve(
        contexts.map(() => ({
          logProbability: Float32Array.of(-1, NaN),
          correct: new Uint8Array(2),
        })),
      ),
  };
  await expect(list.answer(broken)).rejects.toMatchObject({
    kind: 'not_measured',
    exitCode: 3,
    message: expect.stringContaining('one') as string,
  });
});

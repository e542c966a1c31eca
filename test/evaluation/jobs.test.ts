import { expect, it } from 'vitest';
import { type ContextSet, JobList } from '../../src/evaluation/jobs.js';
import type { Batch, Engine, Scores } from '../../src/subjects/bundled/index.js';

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
const table = { invFreq: Float64Array.of(0.1), attentionScaling: 1 };

/** Answers with the first token of each context, the later asked the sooner. */
function engine(lanes: number, act: (run: number) => void = () => {}): Engine & { most: number } {
  let [under, runs] = [0, 0];
  const self = {
    most: 0,
    lanes,
    info: {} as Engine['info'],
    close: async () => {},
    run: async ({ tokens, batch, length, score }: Batch): Promise<Scores> => {
      self.most = Math.max(self.most, ++under);
      const run = runs++;
      await new Promise((resolve) => setTimeout(resolve, 5 * (3 - (run % 3))));
      under--;
      act(run);
      const at = (i: number): number => Number(tokens[Math.floor(i / score) * length]!);
      const logProbability = Float32Array.from({ length: batch * score }, (_, i) => at(i));
      return { logProbability, correct: new Uint8Array(batch * score) };
    },
  };
  return self;
}

function jobs(): JobList {
  const list = new JobList();
  list.add(set, [table], 'one');
  list.add(set, [{ ...table, attentionScaling: 2 }], 'two');
  return list;
}

it.each([1, 3])('puts scores where they belong with %d runs at once', async (lanes) => {
  const [list, runner] = [jobs(), engine(lanes)];
  expect(await list.run(runner, () => {}, undefined)).toBe(true);
  expect(runner.most).toBe(lanes);
  expect(list.tokens).toBe(list.totalTokens);
  const scores = list.measurement(set, [table])!.at[0]!;
  expect(scores.map((s) => s.logProbability[0])).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

it('keeps what was finished when it is stopped, and goes on from there', async () => {
  const [list, controller] = [jobs(), new AbortController()];
  const stop = (run: number) => run === 8 && controller.abort();
  expect(await list.run(engine(2, stop), () => {}, controller.signal)).toBe(false);
  expect(list.finished()).toHaveLength(1);
  const next = jobs();
  next.resume(list.finished());
  expect(next.tokens).toBe(7 * 1024);
  expect(await next.run(engine(2), () => {}, undefined)).toBe(true);
  expect(next.tokens).toBe(next.totalTokens);
});

it('stops all where one run fails, and says why', async () => {
  const [list, runner] = [
    jobs(),
    engine(2, (run) => {
      if (run === 1) throw new Error('out of memory');
    }),
  ];
  await expect(list.run(runner, () => {}, undefined)).rejects.toThrow('out of memory');
  expect(list.tokens).toBeLessThan(list.totalTokens);
});

it('knows nothing of a length that a table was not run to', async () => {
  const two: ContextSet = { ...set, lengths: [512, 1024] };
  const list = new JobList();
  const longer = { ...table, attentionScaling: 2 };
  // As a dynamic scaling has the reference's table within the window, and another beyond.
  list.add(two, [table, longer], 'dynamic');
  await list.run(engine(1), () => {}, undefined);
  expect(list.measurement(two, [table, longer])).toBeDefined();
  expect(list.measurement(two, [table])).toBeDefined();
  expect(list.measurement(two, [table, table])).toBeUndefined();
});

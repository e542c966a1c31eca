import fc from 'fast-check';
import { expect, it } from 'vitest';
import { score, type TextMeasured, tied } from '../../src/evaluation/results.js';

const lossScale = 1.2;

/** One context with one word at each rung and a given loss. The reference's loss is 1 nat. */
function text(losses: readonly number[]): TextMeasured {
  const items = losses.map((_, rung) => ({ kind: 'language', rung, distance: 0, surprise: 0 }));
  const scores = {
    logProbability: Float32Array.from(losses, (loss) => -loss / lossScale),
    correct: new Uint8Array(losses.length),
  };
  return {
    measurement: { contexts: [{ items }], at: losses.map(() => [scores]), lossScale },
    windowed: losses.map(() => [{ sum: 1, count: 1 }]),
    home: 0,
    draws: [[0], [0]],
  } as unknown as TextMeasured;
}

const NONE = [0, 0, 0];

it('is the mean change over the lengths from 1x to the target', () => {
  expect(score(text([1, 1.5, 2]), NONE, [0, 1, 2]).value).toBeCloseTo((0 + 0.5 + 1) / 3, 6);
  expect(score(text([1, 1.5, 2]), NONE, [0, 1]).value).toBeCloseTo(0.25, 6);
});

it('takes what has broken for broken at longer lengths', () => {
  expect(score(text([1, 3, 1.5]), NONE, [0, 1, 2]).value).toBeCloseTo((0 + 2 + 2) / 3, 6);
});

it('leaves out other lengths than it is given, in the worst so far too', () => {
  expect(score(text([9, 1, 1.5]), NONE, [1, 2]).value).toBeCloseTo(0.25, 6);
});

it('adds what is out of range, from 1x to the target', () => {
  const found = score(text([9, 1, 1.5, 1]), [7, 0, 0.2, 7], [1, 2]);
  expect(found.loss).toBeCloseTo(0.25, 6);
  expect(found.outOfRange).toBeCloseTo(0.1, 6);
  expect(found.value).toBeCloseTo(0.35, 6);
  expect([...found.draws]).toEqual([found.value, found.value]);
});

it('ties scores whose difference has a zero in its interval', () => {
  const of = (losses: readonly number[]) => ({ ...score(text(losses), NONE, [0, 1]), contexts: 2 });
  const [a, b] = [of([1, 2]), of([1, 1.5])];
  expect(tied(a, a)).toBe(true);
  expect(tied(a, b)).toBe(false);
  // One context does not tell whether another would order them alike.
  expect(tied({ ...a, contexts: 1 }, { ...b, contexts: 1 })).toBe(true);
});

it('is finite or an error, whatever was not measured', () => {
  const loss = fc.double({ min: 0, max: 9, noNaN: true });
  const bad = fc.constantFrom(NaN, Infinity, -Infinity);
  fc.assert(
    fc.property(fc.array(loss, { minLength: 1, maxLength: 5 }), bad, fc.nat(), (losses, x, at) => {
      const rungs = losses.map((_, rung) => rung);
      const none = losses.map(() => 0);
      const index = at % losses.length;
      const found = score(text(losses), none, rungs);
      for (const value of [found.value, found.loss, found.outOfRange, ...found.draws])
        expect(Number.isFinite(value)).toBe(true);
      const refused = expect.objectContaining({ kind: 'not_measured' }) as Error;
      expect(() => score(text(losses.with(index, x)), none, rungs)).toThrow(refused);
      expect(() => score(text(losses), none.with(index, x), rungs)).toThrow(refused);
      expect(() => score(text(losses), none, [])).toThrow(refused);
    }),
  );
});

import { describe, expect, it } from 'vitest';
import { driftBetween, drifts, shifted } from '../../src/evaluation/probes/offset.js';
import { writeText } from '../../src/probes/contexts.js';
import { language } from '../helpers/language.js';

const scores = (...values: number[]) => ({
  logProbability: Float32Array.from(values),
  correct: new Uint8Array(values.length),
});

describe('drift between two readings', () => {
  it('is the largest and the typical change, over all contexts', () => {
    const found = driftBetween([scores(-1, -2), scores(-3, -4)], [scores(-1, -2), scores(-3, -6)]);
    expect(found).toEqual({ max: 2, rms: 1 });
  });

  it('is rounding where a lone token moves a little, and a defect where all do', () => {
    const many = Array.from({ length: 100 }, () => -1);
    const lone = many.map((value, i) => value + (i === 0 ? 2e-4 : 1e-6));
    const all = many.map((value) => value + 2e-4);
    expect(drifts(driftBetween([scores(...many)], [scores(...lone)]))).toBe(false);
    expect(drifts(driftBetween([scores(...many)], [scores(...all)]))).toBe(true);
  });

  it('is a defect where a score is no number', () => {
    expect(drifts(driftBetween([scores(-1)], [scores(NaN)]))).toBe(true);
  });
});

it('shifts the positions of a text and nothing else', () => {
  const text = writeText({ language, rungs: [16], span: 8 }, 1, 0);
  const { positions, ...rest } = shifted(shifted(text, 100), 20);
  expect(positions).toEqual(text.tokens.map((_, i) => i + 120));
  expect(rest).toEqual(text);
});

import { expect, it } from 'vitest';
import { clusters, DISTANCE_BINS, type Measurement } from '../../src/probes/measure.js';

it('counts every distance in exactly one bin, whole fifths too', () => {
  for (const length of [64, 256, 320, 1000, 1280])
    for (let tokens = 0; tokens <= length; tokens++) {
      const share = tokens / length;
      const bins = DISTANCE_BINS.filter(([from, to]) => share >= from && share < to);
      expect(bins, `${tokens} of ${length}`).toHaveLength(1);
    }
});

it('counts losses of text in nats of LLaMA 7B, of facts in its own', () => {
  const item = (kind: string) => ({ kind, rung: 0, distance: 8, surprise: 0.5 });
  const contexts = [{ items: [item('language'), item('fact')] }];
  const scores = { logProbability: Float32Array.of(-1.5, -1.5), correct: Uint8Array.of(1, 1) };
  const measurement = { contexts, at: [[scores]], lossScale: 1.2 } as unknown as Measurement;
  const sum = (kind: 'language' | 'fact', quantity: 'loss' | 'accuracy') =>
    clusters(measurement, { kind, rungs: [0] }, quantity)[0]!.sum;
  expect(sum('language', 'loss')).toBeCloseTo(1.2, 6);
  expect(sum('language', 'accuracy')).toBe(1);
  expect(sum('fact', 'loss')).toBeCloseTo(1, 6);
});

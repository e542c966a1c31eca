import { describe, expect, it } from 'vitest';
import {
  costOnRealModels,
  parametersText,
  REAL_MODELS,
  timesProbe,
  type RealModel,
} from '../../src/report/real-models.js';
import { ROPE_TYPES } from '../../src/rope/registry.js';

const model = (parameters: number, costs: RealModel['costs']): RealModel => ({
  name: 'model',
  parameters,
  trainedWindow: 2048,
  source: 'test',
  costs,
});

describe('costs on real models', () => {
  it('rest on figures with a source, the largest model first', () => {
    expect(REAL_MODELS.length).toBeGreaterThan(0);
    const sizes = REAL_MODELS.map((m) => m.parameters);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    for (const { source, costs } of REAL_MODELS) {
      expect(source).not.toBe('');
      for (const { nats, probe } of costs) {
        expect(Number.isFinite(nats)).toBe(true);
        expect(Number.isFinite(probe)).toBe(true);
      }
    }
  });

  it('are the median of what a model pays of the probe, small costs left out', () => {
    const cost = (nats: number, probe: number) =>
      ({ family: 'linear', factor: 2, nats, probe }) as const;
    expect(timesProbe(model(1, [cost(0.2, 0.1), cost(0.001, 0.1), cost(1, 0.1)]), 'linear')).toBe(
      Math.sqrt(20),
    );
    expect(timesProbe(model(1, [cost(0.2, 0.1), cost(0.3, 0.1), cost(9, 0.1)]), 'linear')).toBe(
      0.3 / 0.1,
    );
    expect(timesProbe(model(1, [cost(0.2, 0.1)]), 'yarn')).toBeUndefined();
  });

  it.each(ROPE_TYPES)('are a range for %s, and none where nothing is lost', (type) => {
    const range = costOnRealModels(type, 0.1)!;
    expect(range.low).toBeGreaterThan(0);
    expect(range.low).toBeLessThanOrEqual(range.high);
    expect(costOnRealModels(type, 0.2)!.high).toBeCloseTo(2 * range.high, 12);
    for (const nats of [0, -0.1, NaN]) expect(costOnRealModels(type, nats)).toBeUndefined();
  });

  it('name sizes as people do', () => {
    expect([6.7e9, 1.35e8].map(parametersText)).toEqual(['7 B', '0.1 B']);
  });
});

import { describe, expect, it } from 'vitest';
import {
  costOnRealModels,
  parametersText,
  rangeText,
  REAL_MODELS,
  scaleWords,
  shortCostOnModels,
  timesProbe,
  type RealModel,
} from '../../src/report/real-models.js';
import { csv } from '../../src/report/forms/csv.js';
import { junit } from '../../src/report/forms/junit.js';
import type { Report } from '../../src/report/schema/report.js';
import { reportSections } from '../../src/report/sections/index.js';
import { textOf } from '../../src/report/terminal.js';
import { makeReport } from '../helpers/report.js';
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

  it('stand beside a cost of the probe in every form, and beside no cost of a user’s own weights', () => {
    const probed = makeReport();
    const [linear] = probed.candidates.filter(({ label }) => label === 'linear:4');
    const { low, high } = costOnRealModels('linear', linear!.short!.lossChange.value)!;
    expect(shortCostOnModels(probed, linear!)).toMatchObject({ low, high });
    const range = rangeText(shortCostOnModels(probed, linear!));
    expect(range).toBe(`${low.toFixed(2)} to ${high.toFixed(2)} on models of 7 B to 0.1 B`);
    const own = makeReport({
      subject: {
        kind: 'onnx-decoder',
        name: 'model.onnx',
        window: 32_768,
        weightsSha256: '',
        graphSha256: '',
        producer: '',
        forms: [],
        precision: 'float32',
        editDifference: 0,
        textTokens: 1,
        textRepeats: false,
      },
    });
    expect(shortCostOnModels(own, linear!)).toBeUndefined();
    const draw = (report: Report) => {
      const context = { color: false, columns: 200, plots: false };
      const details = textOf(reportSections(report), context);
      return [junit(report, context), csv(report, context), details];
    };
    const [xml, table, details] = draw(probed);
    expect(xml).toContain(range);
    expect(table).toContain(`,${low},${high},`);
    expect(details).toContain(scaleWords(probed));
    for (const text of draw(own)) expect(text).not.toMatch(/0\.1 B|,0\.32/);
  });

  it('name sizes as people do', () => {
    expect([6.7e9, 1.35e8].map(parametersText)).toEqual(['7 B', '0.1 B']);
  });
});

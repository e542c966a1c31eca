import { describe, expect, it } from 'vitest';
import { probeFrequencies, spectralCoordinate, transfer } from '../../src/geometry/transfer.js';
import { computeRope, type RopeSpec } from '../../src/rope/registry.js';

const window = 4096;
const base: RopeSpec = { type: 'default', theta: 1e4, rotaryDim: 128 };
const reference = computeRope(base);
const probe = { invFreq: probeFrequencies(395, 32), window: 256 };

describe('transfer', () => {
  it('leaves the probe bit-identical where candidate and reference agree', () => {
    const table = transfer(probe, reference, computeRope(base), window);
    expect(Array.from(table.invFreq)).toEqual(Array.from(probe.invFreq));
    expect(table).toMatchObject({ attentionScaling: 1, headScaling: 1 });
  });

  it('divides every frequency by the factor of a linear scaling', () => {
    const linear = computeRope({ ...base, type: 'linear', factor: 4 });
    const table = transfer(probe, reference, linear, window);
    table.invFreq.forEach((f, i) => expect(probe.invFreq[i]! / f).toBeCloseTo(4, 10));
  });

  it('puts the thresholds of YaRN where the geometry of the user puts them', () => {
    const yarn = computeRope({
      ...base,
      type: 'yarn',
      factor: 8,
      originalMaxPositions: window,
      betaFast: 32,
      betaSlow: 1,
      truncate: false,
    });
    const table = transfer(probe, reference, yarn, window);
    // 32 rotations over the window: u = 1 - ln(32) / ln(window / 2π); one rotation: u = 1.
    const fast = 1 - Math.log(32) / Math.log(window / (2 * Math.PI));
    table.invFreq.forEach((f, i) => {
      const u = spectralCoordinate(probe.invFreq[i]!, probe.window);
      const stretch = probe.invFreq[i]! / f;
      if (u < fast - 0.05) expect(stretch).toBeCloseTo(1, 6);
      if (u > 1.05) expect(stretch).toBeCloseTo(8, 6);
    });
    expect(table.attentionScaling).toBeCloseTo(0.1 * Math.log(8) + 1, 12);
  });

  it('carries the ratio of attention scalings, and a softmax ratio as its square root', () => {
    const sharper = { ...reference, attentionScaling: 1.2 };
    expect(
      transfer(probe, sharper, { ...sharper, attentionScaling: 1.5 }, window, {
        softmaxScaleRatio: 4,
      }),
    ).toMatchObject({ attentionScaling: 1.25, headScaling: 2 });
  });

  it('leaves pairs that stand still out of the spectrum', () => {
    const still = { invFreq: Float64Array.from(reference.invFreq), attentionScaling: 1 };
    still.invFreq[63] = 0;
    const table = transfer(probe, still, still, window);
    expect(Array.from(table.invFreq)).toEqual(Array.from(probe.invFreq));
  });
});

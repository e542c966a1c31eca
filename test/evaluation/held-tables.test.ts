import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/evaluation/candidate.js';
import { planSwitch } from '../../src/evaluation/switch.js';
import {
  cachedScaling,
  type CachedTables,
  type GroupScaling,
  probeGeometry,
  tablesByRung,
} from '../../src/evaluation/tables.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { loadFamily, loadLanguage } from '../../src/subjects/bundled/index.js';

/** c 0.071 */
const window = 32_768;
const reference: RopeSpec = { type: 'default', theta: 1e4, rotaryDim: 128 };
const scaling = (factor: number): GroupScaling => ({
  reference,
  candidate: { type: 'dynamic', theta: 1e4, rotaryDim: 128, factor, maxPositions: window },
  window,
  softmaxScaleRatio: 1,
});
const family = await loadFamily();
const member = family.members.find((m) => m.name === 'c0.38-s1')!;
const probe = probeGeometry(family, member, reference, window, true);
const held = probe.held!;

describe('pairs held in a cache', () => {
  it('are some of this model', () => {
    expect(held).toBe(10);
    expect(probeGeometry(family, member, reference, window, false).held).toBe(0);
    // LLaMA 1 is below the family by a hair, and has pairs as slow as the member's.
    expect(probeGeometry(family, member, reference, 2048, true).held).toBe(0);
  });

  // Beyond its window dynamic:F stretches by more than the length: 4 F - (F - 1) at 4x.
  it.each([1, 2, 4])('have one frequency for all keys of dynamic:%d, the last one', (factor) => {
    const { byIndex } = cachedScaling(probe, scaling(factor), 4 * 256) as CachedTables;
    const whole = tablesByRung(probe, scaling(factor), [4])[0]!.invFreq;
    const from = probe.invFreq.length - held;
    for (const table of [byIndex[0]!, byIndex[300]!, byIndex.at(-1)!])
      expect(table.invFreq.slice(from)).toEqual(whole.slice(from));
    // The others follow the length at which each key was written.
    expect(byIndex[0]!.invFreq.slice(0, from)).toEqual(probe.invFreq.slice(0, from));
    expect(byIndex.at(-1)!.invFreq.slice(0, from)).toEqual(whole.slice(0, from));
  });
});

describe('pairs held at the switch of longrope', async () => {
  const factors = (last: number) => Array.from({ length: 64 }, (_, i) => 1 + (i / 63) * (last - 1));
  const candidate: RopeSpec = {
    type: 'longrope',
    theta: 1e4,
    rotaryDim: 128,
    shortFactor: factors(1),
    longFactor: factors(4),
    originalMaxPositions: window,
    factor: 4,
    attentionFactor: 1,
  };
  const plan = { scalings: [{ ...scaling(1), candidate }] } as unknown as Plan;
  const language = await loadLanguage(family);
  const found = planSwitch(plan, 0, probe, { language, seed: 1, count: 1 })!;
  const from = probe.invFreq.length - held;
  const stretch = (invFreq: Float64Array) => probe.invFreq[from]! / invFreq[from]!;

  it('are stretched by the length of each row alone', () => {
    const [below, at, above] = found.short.map(({ invFreq }) => stretch(invFreq));
    expect([below, at]).toEqual([1, 1]);
    expect(above).toBeCloseTo(288 / 256, 9);
  });

  it('have one frequency in a cache that holds keys of both tables', () => {
    const { byIndex } = found.cached[2] as CachedTables;
    const [first, last] = [byIndex[0]!, byIndex.at(-1)!];
    expect(first.invFreq.slice(from)).toEqual(last.invFreq.slice(from));
    expect(first.invFreq.slice(0, from)).not.toEqual(last.invFreq.slice(0, from));
  });
});

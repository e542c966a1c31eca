import { describe, expect, it } from 'vitest';
import { tableSwitch } from '../../src/evaluation/probes/switch.js';
import { QuestionList } from '../../src/evaluation/questions.js';
import type { AskedVariant, Run } from '../../src/evaluation/run.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { loadFamily } from '../../src/subjects/bundled/family.js';
import { probeGeometry, type RotaryTreatment } from '../../src/subjects/bundled/subject.js';
import { trainedGroup } from '../../src/subjects/subject.js';
import { byIndexOf, cachedUpTo, scalingOf, subjectOf, tablesAt } from '../helpers/subject.js';

/** c 0.071 */
const window = 32_768;
const reference: RopeSpec = { type: 'default', theta: 1e4, rotaryDim: 128 };
const dynamic = (factor: number) =>
  scalingOf(
    reference,
    { type: 'dynamic', theta: 1e4, rotaryDim: 128, factor, maxPositions: window },
    window,
  );
const family = await loadFamily();
const member = family.members.find((m) => m.name === 'c0.38-s1')!;
const trained = (window: number) =>
  trainedGroup({ layerType: 'full_attention', local: false, window, reference });
const probe = probeGeometry(family, { member, below: true }, trained(window));
const subject = subjectOf(probe);
const held = probe.held!;

describe('pairs held in a cache', () => {
  it('are some of this model', () => {
    expect(held).toBe(10);
    expect(probeGeometry(family, { member, below: false }, trained(window)).held).toBe(0);
    // LLaMA 1 is just below the family's range, and has pairs as slow as the member's.
    expect(probeGeometry(family, { member, below: true }, trained(2048)).held).toBe(0);
  });

  // Beyond its window dynamic:F stretches by more than the length ratio: 4 F - (F - 1) at 4x.
  it.each([1, 2, 4])('have one frequency for all keys of dynamic:%d, the last one', (factor) => {
    const byIndex = byIndexOf(cachedUpTo(subject, dynamic(factor), 4 * 256));
    const whole = tablesAt(subject, dynamic(factor), [4])[0]!.invFreq;
    const from = probe.invFreq.length - held;
    for (const table of [byIndex[0]!, byIndex[300]!, byIndex.at(-1)!])
      expect(table.invFreq.slice(from)).toEqual(whole.slice(from));
    // The other tables depend on the length at which each key was written.
    expect(byIndex[0]!.invFreq.slice(0, from)).toEqual(probe.invFreq.slice(0, from));
    expect(byIndex.at(-1)!.invFreq.slice(0, from)).toEqual(whole.slice(0, from));
  });
});

describe('pairs held at the switch of longrope', () => {
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
  const scaling = scalingOf(reference, candidate, window);
  const setup = { decisive: 0, seed: 1 };
  const questions = new QuestionList({ lossScale: 1 });
  const run = { setup, subject, questions, samples: { apart: 1 } } as unknown as Run;
  const { asked } = tableSwitch.prepare(run)!({ label: 'longrope', scaling } as AskedVariant);
  /** (below, at, above) what the facts are asked with. */
  const [short, , cached] = asked
    .filter(({ series }) => series.portions[0]!.name === 'switch 256')
    .map(({ treatments }) => treatments as readonly RotaryTreatment[]);
  const from = probe.invFreq.length - held;
  const stretch = ({ rotation }: RotaryTreatment) =>
    probe.invFreq[from]! / ('byIndex' in rotation ? NaN : rotation.invFreq[from]!);

  it('are stretched by the length of each row alone', () => {
    const [below, at, above] = short!.map(stretch);
    expect([below, at]).toEqual([1, 1]);
    expect(above).toBeCloseTo(288 / 256, 9);
  });

  it('have one frequency in a cache that holds keys of both tables', () => {
    const byIndex = byIndexOf(cached![2]!.rotation);
    const [first, last] = [byIndex[0]!, byIndex.at(-1)!];
    expect(first.invFreq.slice(from)).toEqual(last.invFreq.slice(from));
    expect(first.invFreq.slice(0, from)).not.toEqual(last.invFreq.slice(0, from));
  });
});

import { describe, expect, it } from 'vitest';
import { plainDecoder, WINDOW } from '../../bench/plain-decoder.js';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluateOn } from '../../src/evaluation/on-subject.js';
import { setUp } from '../../src/evaluation/setup.js';
import { loadFamily } from '../../src/subjects/bundled/family.js';
import { bundledSubject } from '../../src/subjects/bundled/subject.js';

const { members } = await loadFamily();

describe.each(members)('probe model $name', (member) => {
  it('knows its window, fails beyond it, and feels every factor', async () => {
    const names = [2, 8].flatMap((f) => ['linear', 'ntk', 'yarn'].map((m) => `${m}:${f}`));
    const options = {
      target: 2 * WINDOW,
      candidates: parseCandidates(names.join(',')),
      samples: 6,
      preset: 'quick',
      threads: 1,
      worker: false,
      device: 'cpu',
    } as const;
    const config = plainDecoder(member.criticalFraction, member.rotaryShare);
    const setup = setUp(config, options);
    const subject = await bundledSubject(setup, { ...options, member: member.name });
    const { report } = await evaluateOn(setup, options, subject);
    const [reference, ...candidates] = report.candidates;
    expect(report.subject).toMatchObject({ name: member.name, inRange: true });
    expect(reference!.needle[0]!.accuracy.value).toBeGreaterThanOrEqual(0.95);
    // If less than half of the range never turns, the far end is lost soon after the window.
    // Dimensions that do not rotate delay this.
    if (member.criticalFraction < 0.5 && member.rotaryShare === 1) {
      expect(reference!.reach!.multiple).toBeLessThan(2);
      expect(reference!.needle.at(-1)!.accuracy.value).toBeLessThan(0.7);
      expect(reference!.needle.at(-1)!.lossChange.value).toBeGreaterThan(0.2);
    }
    const loss = (label: string): number =>
      candidates.find((c) => c.label === label)!.short!.lossChange.value;
    expect(loss('linear:8')).toBeGreaterThan(4 * loss('linear:2'));
    for (const method of ['ntk', 'yarn'])
      expect(loss(`${method}:8`)).toBeGreaterThan(loss(`${method}:2`));
    expect(loss('linear:8')).toBeGreaterThan(4 * loss('yarn:8'));
  });
});

import { expect, it } from 'vitest';
import { loadFamily } from '../../src/engine/index.js';
import { memberFindings } from '../../src/evaluation/member-findings.js';

it('warns of the members that overstate uneven stretches, and of no other', async () => {
  const { members } = await loadFamily();
  const warned = members.filter((m) => memberFindings(m).length > 0).map((m) => m.criticalFraction);
  expect(warned).toEqual([0.05, 0.14, 0.22]);
  const [found] = memberFindings(members.find((m) => m.criticalFraction === 0.22)!);
  expect(found).toMatchObject({ code: 'RE058', severity: 'notice' });
});

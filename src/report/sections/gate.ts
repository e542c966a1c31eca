import type { GateOutcome, RuleOutcome } from '../forms/form.js';
import type { Section, Tone } from './section.js';

const TONES: Readonly<Record<RuleOutcome['status'], Tone>> = Object.freeze({
  passed: 'good',
  failed: 'bad',
  unverifiable: 'warn',
});

/** Presents the gate's result, if a gate ran. */
export function gateSection({ verdict, rules }: GateOutcome): Section {
  return {
    id: 'gate',
    title: `Gate: ${verdict}`,
    depth: 2,
    blocks: [
      {
        kind: 'table',
        name: 'Gate rules',
        columns: ['Rule', 'Candidate', 'Level', 'Status', 'Found'].map((title) => ({
          title,
          align: 'left' as const,
        })),
        rows: rules.map(({ rule, candidate, level, status, message }) => ({
          cells: [
            { text: rule, name: true },
            { text: candidate, name: true },
            { text: level },
            { text: status, tone: TONES[status] },
            { text: message },
          ],
        })),
      },
    ],
  };
}

import type { GateOutcome, RuleOutcome } from '../forms/form.js';
import { plainTable, type Section, type Tone } from './section.js';

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
    blocks: [
      plainTable(
        'Gate rules',
        ['Rule', 'Candidate', 'Level', 'Status', 'Found'].map((title) => ({
          title,
          align: 'left',
        })),
        rules.map(({ rule, candidate, level, status, message }) => [
          { text: rule, name: true },
          { text: candidate, name: true },
          level,
          { text: status, tone: TONES[status] },
          message,
        ]),
      ),
    ],
  };
}

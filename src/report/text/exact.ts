import { fixed } from '../../minus.js';
import { percent, tokens } from '../format.js';
import type { Report } from '../schema.js';
import { costWords, stretchWords } from '../exact-words.js';

/** What follows from the config alone: kept apart from everything measured. */
export function exactLines(report: Report): readonly string[] {
  const { theta, criticalFraction } = report.reference;
  // What the layers that look farthest see: local ones may see less than the trained window.
  const window = report.settings.ladder.find((rung) => rung.multiple === 1)!.tokens;
  const never =
    criticalFraction > 0
      ? `${percent(criticalFraction)} of the frequency range never makes a full turn within ` +
        `${tokens(window)} tokens (critical fraction ${fixed(criticalFraction, 3)})`
      : `every pair makes a full turn within ${tokens(window)} tokens`;
  return [
    `Theta ${tokens(theta)}: ${never}.`,
    ...report.candidates.filter(({ role }) => role === 'candidate').map(stretchWords),
    ...costWords(report),
  ];
}

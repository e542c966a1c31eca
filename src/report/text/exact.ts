import { percent, tokens } from '../format.js';
import type { Report } from '../schema.js';
import { costWords, stretchWords } from '../exact-words.js';

/** What follows from the config alone: kept apart from everything measured. */
export function exactLines(report: Report): readonly string[] {
  const { theta, criticalFraction, trainedWindow } = report.reference;
  const never =
    criticalFraction > 0
      ? `${percent(criticalFraction)} of the frequency range never makes a full turn within ` +
        `${tokens(trainedWindow)} tokens (critical fraction ${criticalFraction.toFixed(3)})`
      : `every pair makes a full turn within ${tokens(trainedWindow)} tokens`;
  return [
    `Theta ${tokens(theta)}: ${never}.`,
    ...report.candidates.filter(({ role }) => role === 'candidate').map(stretchWords),
    ...costWords(report),
  ];
}

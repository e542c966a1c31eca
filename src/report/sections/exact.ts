import { fixed } from '../../numbers.js';
import { bytes, multiple, percent, printable, tokens, trim } from '../format.js';
import type { CandidateReport, Report } from '../schema/report.js';

/** What follows from the config alone, in words. */

/** What the scaling does to the rotary table, exact. */
export function stretchWords(candidate: CandidateReport): string {
  const parts = candidate.groups.map((group) => {
    const layers = candidate.groups.length > 1 ? `${printable(group.layerType)} ` : '';
    if (!group.changed) return `${layers}unchanged`;
    return `${layers}${turnWords(group.maxStretch)}, attention scaling ${trim(group.attentionScaling, 4)}`;
  });
  return `${printable(candidate.label)}: ${parts.join('; ')}`;
}

/** @param most reference frequency / candidate frequency, of the pair that is slowed down most */
function turnWords(most: number): string {
  if (most > 1) return `pairs turn up to ${multiple(most)} slower than in training`;
  if (most === 1) return 'no pair turns slower than in training';
  return `all pairs turn at least ${multiple(1 / most)} faster than in training`;
}

/** The price of the longer window, which is the same for every candidate. */
export function costWords({ geometry, target, reference }: Report): readonly string[] {
  const at = (length: number) => geometry?.cost?.lengths.find((each) => each.tokens === length);
  const [before, after] = [at(reference.trainedWindow), at(target.tokens)];
  if (!geometry?.cost || !before || !after) return [];
  const cache =
    `KV cache of one sequence in ${geometry.cost.dtype}: ` +
    `${bytes(before.kvBytes)} at ${tokens(before.tokens)} tokens`;
  if (after.tokens === before.tokens) return [`${cache}.`];
  return [
    `${cache}, ${bytes(after.kvBytes)} at ${tokens(after.tokens)}. ` +
      `Attention per token: ${multiple(after.prefillMultiple)} for the prompt, ` +
      `${multiple(after.decodeMultiple)} for each new token.`,
  ];
}

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

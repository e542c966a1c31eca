import { fixed } from '../../text.js';
import { bytes, multiple, percent, printable, tokens, trim } from '../format.js';
import type { CandidateReport, Report } from '../schema/report.js';
import type { Section, TurnsLine } from './section.js';

/** Presents what follows from the config alone, separately from everything measured. */
export function exactSection(report: Report): Section {
  return {
    id: 'exact',
    title: 'Exact: from the config alone',
    blocks: [{ kind: 'list', items: exactLines(report) }, ...turnsBlocks(report)],
  };
}

export function exactLines(report: Report): readonly string[] {
  const { theta, criticalFraction } = report.reference;
  // This is the range of the layers that look farthest. Local layers may see less than that.
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

/**
 * Presents the turns of each rotary pair over the trained window and over the target. Pairs between
 * the one-turn line and the trained curve met every angle in training; the others reach new angles.
 */
function turnsBlocks(report: Report): Section['blocks'] {
  const group = report.geometry?.groups[0];
  if (group === undefined) return [];
  const scaled = group.candidates.find(({ label }) => label === report.recommendation.candidate);
  const line = (
    name: string,
    range: number,
    turns: readonly number[],
    style: TurnsLine['style'],
  ): TurnsLine => ({ name: `${name} over ${tokens(range)} tokens`, turns, style });
  const { reference, trainedRange, targetRange } = group;
  const trained = line('reference', trainedRange, reference.rotationsTrained, 'trained');
  return [
    {
      kind: 'turns',
      lines: [
        line('reference', targetRange, reference.rotationsTarget, 'plain'),
        ...(scaled
          ? [line(printable(scaled.label), targetRange, scaled.rotationsTarget, 'scaled')]
          : []),
        // The reference comes last, so that its dots stay visible where a scaling leads back to it.
        { ...trained, name: `${trained.name}, as trained` },
      ],
    },
  ];
}

function stretchWords(candidate: CandidateReport): string {
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

/** Describes the cost of the longer window, which is the same for every candidate. */
function costWords({ geometry, target, reference }: Report): readonly string[] {
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

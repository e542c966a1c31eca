import { referenceSpecs } from '../config/reference.js';
import type { EmitInput, Note } from './types.js';

/**
 * Says where the scaling stretches the window to less than what is to be served: engines that are
 * told the length by an option of their own do not compare the two.
 */
export function coverageNotes(input: EmitInput): Note[] {
  const covered = coveredLength(input);
  if (covered === undefined || covered >= input.length) return [];
  return [
    {
      kind: 'needs',
      text: `${input.label} covers ${covered} tokens only, and ${input.length} are to be served; choose a larger factor.`,
    },
  ];
}

/**
 * Tokens; undefined where the scaling says nothing about a length, or follows it (dynamic). The
 * trained window holds a trained-in extension already: only what goes beyond it counts.
 */
function coveredLength({ geometry, groups, reference }: EmitInput): number | undefined {
  const { rope } = groups[0];
  const [trained] = referenceSpecs(geometry, geometry, reference);
  const extension = trained && 'factor' in trained ? trained.factor : 1;
  const window = reference.trainedWindow / extension;
  switch (rope.type) {
    case 'yarn': {
      const continues =
        trained &&
        'originalMaxPositions' in trained &&
        trained.originalMaxPositions === rope.originalMaxPositions;
      return Math.round(rope.factor * (continues ? window : rope.originalMaxPositions));
    }
    case 'linear':
      return Math.round(rope.factor * window);
    case 'ntk':
      // Where a trained-in scaling makes way, its part of the larger theta is not known here.
      return trained?.type === 'default' ? Math.round(rope.alpha * window) : undefined;
    default:
      return undefined;
  }
}

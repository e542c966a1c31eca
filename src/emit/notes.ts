import { referenceSpecs } from '../config/reference.js';
import { stretchedWindow } from '../rope/stretched-window.js';
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

/** Tokens; undefined where the scaling says nothing about a length, or follows it (dynamic). */
function coveredLength({ geometry, groups, reference }: EmitInput): number | undefined {
  const { rope } = groups[0];
  const [trained] = referenceSpecs(geometry, geometry, reference);
  const says =
    rope.type === 'yarn' ||
    rope.type === 'linear' ||
    // Where a trained-in scaling makes way, its part of the larger theta is not known here.
    (rope.type === 'ntk' && trained?.type === 'default');
  return says ? Math.round(stretchedWindow(rope, trained, reference.trainedWindow)) : undefined;
}

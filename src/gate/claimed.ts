import type { ModelGeometry } from '../config/types.js';
import type { RopeSpec } from '../rope/types.js';

/**
 * The largest length, in tokens, that a config claims to serve: its position limit, or the window
 * its scaling stretches, whichever is more. A gate that looked at less would pass what it never
 * measured.
 *
 * @param trainedWindow tokens, of the reference
 */
export function claimedLength(geometry: ModelGeometry, trainedWindow: number): number {
  const stretched = geometry.groups
    .filter((group) => group.span.kind === 'global')
    .map((group) => stretchedWindow(group.rope, trainedWindow));
  return Math.round(Math.max(geometry.maxPositions, ...stretched));
}

/** Tokens that a scaling reaches by its own factor; 0 where it says nothing about a length. */
function stretchedWindow(rope: RopeSpec, trainedWindow: number): number {
  switch (rope.type) {
    case 'yarn':
    case 'llama3':
    case 'longrope':
      return rope.factor * rope.originalMaxPositions;
    case 'dynamic':
      // Recomputed at any length; the factor is what serving engines multiply the window by.
      return rope.factor * Math.min(rope.maxPositions, trainedWindow);
    case 'linear':
      return rope.factor * trainedWindow;
    case 'ntk':
      return rope.alpha * trainedWindow;
    case 'default':
    case 'proportional':
      return 0;
  }
}

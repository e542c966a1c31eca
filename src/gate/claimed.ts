import type { ModelGeometry } from '../config/types.js';
import { stretchedWindow } from '../rope/stretched-window.js';
import type { RopeSpec } from '../rope/types.js';

/** What the weights were trained with. */
export interface Trained {
  /** (groups) */
  readonly specs: readonly RopeSpec[];
  /** Tokens. */
  readonly window: number;
}

/**
 * The largest length, in tokens, that a config claims to serve: its position limit, or the window
 * its scaling stretches, whichever is more. A gate that looked at less would pass what it never
 * measured.
 *
 * The trained window holds a trained-in extension already: only what goes beyond it counts.
 */
export function claimedLength(geometry: ModelGeometry, trained: Trained): number {
  const stretched = geometry.groups.flatMap(({ rope, span }, index) =>
    span.kind === 'global' ? [stretchedWindow(rope, trained.specs[index], trained.window)] : [],
  );
  return Math.round(Math.max(geometry.maxPositions, ...stretched));
}

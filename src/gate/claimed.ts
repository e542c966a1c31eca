import type { ModelGeometry } from '../config/types.js';
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

/** Tokens that a scaling reaches by its own factor; 0 where it says nothing about a length. */
function stretchedWindow(rope: RopeSpec, trained: RopeSpec | undefined, window: number): number {
  switch (rope.type) {
    case 'yarn':
    case 'llama3':
    case 'longrope':
      return continues(rope, trained)
        ? (rope.factor / trained.factor) * window
        : rope.factor * rope.originalMaxPositions;
    case 'dynamic':
      // Recomputed at any length; the factor is what serving engines multiply the window by.
      return rope.factor * Math.min(rope.maxPositions, window);
    case 'linear':
      return (rope.factor / extensionOf(trained)) * window;
    case 'ntk':
      return (rope.alpha / alphaOf(rope.theta, trained)) * window;
    case 'default':
    case 'proportional':
      return 0;
  }
}

type WithOriginal = Extract<RopeSpec, { readonly originalMaxPositions: number }>;

/**
 * Whether a scaling stretches the same original window as the trained-in one. That says better
 * than factor x original what it adds: Llama 3.1 writes 8 x 8192 and was trained on 131,072.
 */
function continues(rope: WithOriginal, trained: RopeSpec | undefined): trained is WithOriginal {
  return (
    trained !== undefined &&
    'originalMaxPositions' in trained &&
    trained.originalMaxPositions === rope.originalMaxPositions
  );
}

/** How far the weights' own scaling stretches their base. */
function extensionOf(trained: RopeSpec | undefined): number {
  switch (trained?.type) {
    case 'yarn':
    case 'llama3':
    case 'longrope':
    case 'linear':
      return trained.factor;
    default:
      return 1;
  }
}

/** The alpha that the weights were trained with, over this base. */
function alphaOf(theta: number, trained: RopeSpec | undefined): number {
  if (trained?.type !== 'ntk') return extensionOf(trained);
  return trained.theta === theta ? trained.alpha : 1;
}

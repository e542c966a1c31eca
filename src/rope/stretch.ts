import type { RopeSpec } from './spec.js';

/**
 * Tokens that a scaling reaches by its own factor; 0 where it says nothing about a length.
 *
 * @param trained what the weights were trained with
 * @param window tokens that they were trained on; holds a trained-in extension already
 */
export function stretchedWindow(
  rope: RopeSpec,
  trained: RopeSpec | undefined,
  window: number,
): number {
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

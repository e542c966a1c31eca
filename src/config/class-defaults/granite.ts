import type { ClassDefaults } from './types.js';

/** What Granite's classes share (transformers `GraniteConfig`, `GraniteMoeConfig` and relatives). */
export const GRANITE: ClassDefaults = Object.freeze({
  softmax: { multiplier: 1 },
  hidden: 4096,
  heads: 32,
  kvHeads: 32,
  layers: 32,
  maxPositions: 2048,
});

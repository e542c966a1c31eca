import { DENSE_DEFAULTS } from './dense.js';
import { EXPERTS_DEFAULTS } from './experts.js';
import { MULTIMODAL_DEFAULTS } from './multimodal.js';
import { OTHER_DEFAULTS } from './other.js';
import type { ClassDefaults } from './types.js';

/** By model type. A Map: model types are untrusted, and `constructor` must not be found. */
export const CLASS_DEFAULTS: ReadonlyMap<string, ClassDefaults> = new Map(
  [DENSE_DEFAULTS, EXPERTS_DEFAULTS, MULTIMODAL_DEFAULTS, OTHER_DEFAULTS].flatMap((table) =>
    Object.entries(table),
  ),
);

export {
  type ClassDefaults,
  type LatentDefault,
  type LayerMix,
  type LayerRopeDefault,
} from './types.js';

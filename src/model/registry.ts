import { LATENT_DIALECTS } from './dialects/latent.js';
import { NO_ROPE_DIALECTS } from './dialects/no-rope-layers.js';
import { OWN_KEYS_DIALECTS } from './dialects/own-keys.js';
import { PER_LAYER_DIALECTS } from './dialects/per-layer-families.js';
import { plain, SCALED_DIALECTS } from './dialects/scaled.js';
import type { Dialect } from './types.js';

/** Every dialect. A new one stands in the list at the end of its file. */
const DIALECTS: readonly Dialect[] = Object.freeze([
  ...SCALED_DIALECTS,
  ...PER_LAYER_DIALECTS,
  ...LATENT_DIALECTS,
  ...NO_ROPE_DIALECTS,
  ...OWN_KEYS_DIALECTS,
]);

const BY_TYPE: ReadonlyMap<string, Dialect> = new Map(
  DIALECTS.flatMap((dialect) => dialect.modelTypes.map((type) => [type, dialect] as const)),
);

/** Returns the dialect of a model type; types without their own are read as plain decoders. */
export function dialectOf(modelType: string): Dialect {
  return BY_TYPE.get(modelType) ?? plain;
}

export function hasDialect(modelType: string): boolean {
  return BY_TYPE.has(modelType);
}

import {
  bailing,
  deepseekV4,
  dots3,
  latentAttention,
  mistral4,
  mistralLarge4,
} from './dialects/latent.js';
import {
  cohere2,
  exaone4,
  graniteHybrid,
  llama4,
  muse,
  smollm3,
  zamba2,
} from './dialects/no-rope-layers.js';
import {
  dbrx,
  derivedHead,
  esm,
  falcon,
  gptj,
  jetmoe,
  neox,
  nomicBert,
  ownKeys,
  roformer,
} from './dialects/own-keys.js';
import {
  cohereCompass,
  embeddingGemma2,
  gemma3,
  gemma4,
  listedPerLayer,
  mimoV2,
  modernbert,
  neomme,
  nestedOnly,
  olmo3,
} from './dialects/per-layer-families.js';
import {
  allSliding,
  cohere,
  defaultOnly,
  ernieVl,
  hunyuan,
  llama,
  lowerSliding,
  minimaxM2,
  mrope,
  phi3,
  phimoe,
  plain,
  upperSliding,
} from './dialects/scaled.js';
import type { Dialect } from './types.js';

/** Every dialect. A new one is a file (or a value in the file of its family) and a line here. */
export const DIALECTS: readonly Dialect[] = Object.freeze([
  plain,
  llama,
  cohere,
  defaultOnly,
  allSliding,
  upperSliding,
  lowerSliding,
  gemma3,
  olmo3,
  modernbert,
  gemma4,
  embeddingGemma2,
  nestedOnly,
  mimoV2,
  cohereCompass,
  neomme,
  listedPerLayer,
  latentAttention,
  bailing,
  dots3,
  mistral4,
  mistralLarge4,
  deepseekV4,
  smollm3,
  llama4,
  cohere2,
  exaone4,
  muse,
  neox,
  nomicBert,
  gptj,
  esm,
  roformer,
  falcon,
  derivedHead,
  graniteHybrid,
  zamba2,
  ownKeys,
  jetmoe,
  dbrx,
  phi3,
  phimoe,
  hunyuan,
  mrope,
  ernieVl,
  minimaxM2,
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

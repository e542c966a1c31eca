import type { Source } from './source.js';

/** Model types whose tokens see both sides (`is_causal = False` in their attention classes). */
const ENCODERS: ReadonlySet<string> = new Set([
  'blt_local_encoder',
  'embedding_gemma2_text',
  'esm',
  'esmc',
  'eurobert',
  'gte',
  'jina_embeddings_v3',
  'modernbert',
  'neomme',
  'nomic_bert',
  'openai_privacy_filter',
  'roformer',
  't5gemma2_text',
  'ultrabert',
]);

/**
 * Whether a model attends to both sides, so that it decodes nothing and keeps no cache. A class of
 * unknown type counts as an encoder where it is named after its masked-language head.
 */
export function isBidirectional(source: Source): boolean {
  const { fields, modelType, defaults, architecture } = source;
  if (fields.raw('is_decoder') === true) return false;
  // EmbeddingGemma is a Gemma 3 with this switch.
  if (fields.raw('use_bidirectional_attention') === true) return true;
  if (ENCODERS.has(modelType)) return true;
  return defaults === undefined && architecture?.endsWith('ForMaskedLM') === true;
}

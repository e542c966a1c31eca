import { finding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';
import { suggest } from '../suggest.js';
import type { Fields } from './fields.js';

/** Top-level keys that decide about RoPE, in any dialect. */
const ROPE_KEYS = [
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'rope_local_base_freq',
  'partial_rotary_factor',
  'partial_rotary_factors',
  'rotary_pct',
  'rotary_emb_base',
  'rotary_dim',
  'head_dim',
  'global_head_dim',
  'max_position_embeddings',
  'original_max_position_embeddings',
  'num_attention_heads',
  'num_key_value_heads',
  'num_hidden_layers',
  'hidden_size',
  'qk_rope_head_dim',
  'qk_nope_head_dim',
  'kv_lora_rank',
  'sliding_window',
  'sliding_window_pattern',
  'use_sliding_window',
  'attention_chunk_size',
  'layer_types',
  'no_rope_layers',
  'no_rope_layer_interval',
  'global_rope_theta',
  'local_rope_theta',
  'query_pre_attn_scalar',
] as const;

/**
 * Real keys of published configs that are one or two letters from a rope key, and mean something
 * else.
 */
const OTHER_KEYS: ReadonlySet<string> = new Set([
  'v_head_dim',
  'qk_head_dim',
  'q_lora_rank',
  'sliding_window_size',
  'rope_interleave',
  'rope_interleaved',
  'mlp_layer_types',
  'index_head_dim',
  'attention_head_dim',
  'num_hidden_groups',
  'compress_rope_theta',
  'layers_types',
  'hidden_sizes',
  'rope_type',
  'rope_ratio',
  'swa_rope_theta',
  'swa_head_dim',
  'use_rope_scaling',
  'attention_head_size',
  'hidden_stride',
  'layer_type',
]);

/** Untrusted objects may have very many keys; a config with more than this has other problems. */
const MAX_KEYS = 2000;

/** Keys that look like a rope key with a slip, and are read by nobody. */
export function misspeltKeys(fields: Fields): readonly Finding[] {
  const known: readonly string[] = ROPE_KEYS;
  return Object.keys(fields.record)
    .slice(0, MAX_KEYS)
    .flatMap((key) => {
      if (known.includes(key) || OTHER_KEYS.has(key) || fields.seen.has(key)) return [];
      // Most keys are far from all of these, and comparing letter by letter is slow.
      if (!ROPE_KEYS.some((name) => isClose(key, name))) return [];
      const meant = suggest(key, ROPE_KEYS);
      if (meant === undefined || !isClose(key, meant)) return [];
      return [finding('misspelt_key', fields.at(key), { suggestion: meant })];
    });
}

/** Real keys of other meaning are short or start differently; a slip keeps the beginning. */
function isClose(key: string, meant: string): boolean {
  return key.length >= 6 && Math.abs(key.length - meant.length) <= 2 && key[0] === meant[0];
}

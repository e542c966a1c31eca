import { fail } from '../json/fail.js';
import { isRecord, type UnknownRecord } from '../json/parse.js';

/** Names of Mistral's params.json, and what a config.json calls the same. */
const NAMES: readonly (readonly [from: string, to: string])[] = Object.freeze([
  ['dim', 'hidden_size'],
  ['n_layers', 'num_hidden_layers'],
  ['n_heads', 'num_attention_heads'],
  ['n_kv_heads', 'num_key_value_heads'],
  ['head_dim', 'head_dim'],
  ['hidden_dim', 'intermediate_size'],
  ['rope_theta', 'rope_theta'],
  ['vocab_size', 'vocab_size'],
  ['sliding_window', 'sliding_window'],
  ['kv_lora_rank', 'kv_lora_rank'],
  ['q_lora_rank', 'q_lora_rank'],
  ['qk_rope_head_dim', 'qk_rope_head_dim'],
  ['qk_nope_head_dim', 'qk_nope_head_dim'],
  ['v_head_dim', 'v_head_dim'],
]);

/** Lengths, the one that counts first. */
const LENGTH_KEYS = ['max_position_embeddings', 'max_seq_len', 'model_max_length'] as const;

/**
 * Mistral's params.json as a config.json: other names for the same numbers, and a block `yarn` in
 * which beta is beta_fast and alpha beta_slow. Without `apply_scale` YaRN has no temperature.
 *
 * @returns undefined for anything else
 * @throws RopeEvalError `missing_field` for one that says no length (Meta's original params.json)
 * @see vLLM `transformers_utils/configs/mistral.py`
 */
export function fromMistralParams(
  params: UnknownRecord,
): { readonly config: UnknownRecord } | undefined {
  const has = (key: string): boolean => Object.hasOwn(params, key) && params[key] !== null;
  if (has('model_type') || !has('dim') || !has('n_layers') || !has('n_heads')) return undefined;
  const length = LENGTH_KEYS.find(has);
  if (length === undefined) {
    fail(
      'missing_field',
      'max_position_embeddings',
      'is missing: this params.json says no length',
      'give the config.json of the same model in the form that transformers reads',
    );
  }
  // A latent head has three widths of its own, and none of them is head_dim.
  const latent = Object.hasOwn(params, 'kv_lora_rank');
  const renamed = NAMES.flatMap(([from, to]) =>
    Object.hasOwn(params, from) && !(latent && from === 'head_dim')
      ? [[to, params[from]] as const]
      : [],
  );
  const block = yarnBlock(params);
  return {
    config: {
      model_type: modelTypeOf(params),
      ...Object.fromEntries(renamed),
      max_position_embeddings: params[length],
      ...(block !== undefined && { rope_scaling: block }),
    },
  };
}

/** Latent attention runs DeepSeek's code; a query scaling is Ministral 3's. */
function modelTypeOf(params: UnknownRecord): string {
  if (isRecord(params['llama_4_scaling']) && isRecord(params['yarn'])) {
    return Object.hasOwn(params, 'kv_lora_rank') ? 'deepseek_v3' : 'ministral3';
  }
  if (Object.hasOwn(params, 'kv_lora_rank')) return 'deepseek_v3';
  return isRecord(params['moe']) ? 'mixtral' : 'mistral';
}

function yarnBlock(params: UnknownRecord): UnknownRecord | undefined {
  const yarn = params['yarn'];
  if (!isRecord(yarn)) return undefined;
  const query = params['llama_4_scaling'];
  const own = (key: string): unknown => (Object.hasOwn(yarn, key) ? yarn[key] : undefined);
  return Object.fromEntries(
    Object.entries({
      rope_type: 'yarn',
      factor: own('factor'),
      original_max_position_embeddings: own('original_max_position_embeddings'),
      beta_fast: own('beta'),
      beta_slow: own('alpha'),
      attention_factor: own('apply_scale') === true ? undefined : 1,
      llama_4_scaling_beta: isRecord(query) ? query['beta'] : undefined,
    }).filter(([, value]) => value !== undefined),
  );
}

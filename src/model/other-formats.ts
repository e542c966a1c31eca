import { RopeEvalError } from '../errors.js';
import { defined, fail, isRecord, own, type UnknownRecord } from '../json/parse.js';
import { computeRope } from '../rope/registry.js';

/** What the header of a GGUF file contains about positions, without its weights. */
export interface GgufHeader {
  readonly metadata: UnknownRecord;
  /** Divisors of the frequencies, one per pair, by the name of their tensor. */
  readonly factors: Readonly<Record<string, readonly number[]>>;
}

/** The tensors in which llama.cpp keeps divisors of the frequencies. */
export const FACTOR_TENSORS = [
  'rope_freqs.weight',
  'rope_factors_short.weight',
  'rope_factors_long.weight',
] as const;

/** llama.cpp's architecture names that are not simply the model type with other hyphens. */
const MODEL_TYPES: ReadonlyMap<string, string> = new Map([
  ['command-r', 'cohere'],
  ['deepseek2', 'deepseek_v3'],
  ['gemma3', 'gemma3_text'],
  ['gemma3n', 'gemma3n_text'],
  ['gemma4', 'gemma4_text'],
  ['glm4moe', 'glm4_moe'],
  ['gpt-oss', 'gpt_oss'],
  ['gptneox', 'gpt_neox'],
  ['granitemoe', 'granitemoe'],
  ['hunyuan-dense', 'hunyuan_v1_dense'],
  ['hunyuan-moe', 'hunyuan_v1_moe'],
  ['llama4', 'llama4_text'],
  ['minimax-m2', 'minimax_m2'],
  ['mistral3', 'ministral3'],
  ['phi2', 'phi'],
  ['qwen2moe', 'qwen2_moe'],
  ['qwen2vl', 'qwen2_vl_text'],
  ['qwen3moe', 'qwen3_moe'],
  ['qwen3next', 'qwen3_next'],
  ['qwen3vl', 'qwen3_vl_text'],
  ['qwen3vlmoe', 'qwen3_vl_moe_text'],
]);

/**
 * Converts the header of a GGUF file to a config.json: the same numbers under other names.
 *
 * @throws RopeEvalError `missing_field` for a file that is not a language model
 * @see llama.cpp `gguf-py/gguf/constants.py`
 */
export function fromGguf({ metadata, factors }: GgufHeader): UnknownRecord {
  const architecture = metadata['general.architecture'];
  if (typeof architecture !== 'string') {
    throw new RopeEvalError('missing_field', {
      path: 'general.architecture',
      problem: 'is missing: this GGUF file holds no model',
    });
  }
  const at = (key: string): unknown => metadata[`${architecture}.${key}`];
  const number = (key: string): number | undefined => asNumber(at(key));
  const width = number('attention.key_length_mla') ?? number('attention.key_length');
  const turning = number('rope.dimension_count');
  const rank = number('attention.kv_lora_rank');
  const value = number('attention.value_length_mla') ?? number('attention.value_length');
  const heads = number('attention.head_count');
  const hidden = number('embedding_length');
  const head = width ?? (hidden !== undefined && heads ? hidden / heads : undefined);
  const partial =
    rank === undefined && turning !== undefined && head !== undefined && turning < head;
  return defined({
    model_type: MODEL_TYPES.get(architecture) ?? architecture.replaceAll('-', '_'),
    hidden_size: hidden,
    num_hidden_layers: number('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: number('attention.head_count_kv'),
    max_position_embeddings: number('context_length'),
    rope_theta: number('rope.freq_base'),
    rope_local_base_freq: number('rope.local.freq_base') ?? number('rope.freq_base_swa'),
    sliding_window: number('attention.sliding_window'),
    ...(rank === undefined
      ? { head_dim: width, partial_rotary_factor: partial ? turning / head : undefined }
      : {
          kv_lora_rank: rank,
          qk_rope_head_dim: turning,
          qk_nope_head_dim:
            width !== undefined && turning !== undefined ? width - turning : undefined,
          v_head_dim: value,
        }),
    rope_scaling: scaling(at, factors),
  });
}

function scaling(
  at: (key: string) => unknown,
  factors: GgufHeader['factors'],
): UnknownRecord | undefined {
  const number = (key: string): number | undefined => asNumber(at(`rope.scaling.${key}`));
  const original = number('original_context_length');
  const short = factors['rope_factors_short.weight'];
  const long = factors['rope_factors_long.weight'];
  if (short !== undefined && long !== undefined) {
    return defined({
      rope_type: 'longrope',
      short_factor: short,
      long_factor: long,
      original_max_position_embeddings: original,
      attention_factor: number('attn_factor'),
    });
  }
  const divisors = factors['rope_freqs.weight'];
  if (divisors !== undefined) return fromDivisors(divisors, asNumber(at('rope.freq_base')));
  const type = at('rope.scaling.type');
  if (type !== 'linear' && type !== 'yarn') return undefined;
  const multiplier = number('yarn_log_multiplier');
  return defined({
    rope_type: type,
    factor: number('factor'),
    ...(type === 'yarn' && {
      original_max_position_embeddings: original,
      beta_fast: number('yarn_beta_fast'),
      beta_slow: number('yarn_beta_slow'),
      // llama.cpp stores DeepSeek's mscale_all_dim multiplied by 0.1.
      ...(multiplier !== undefined && {
        mscale: Number((multiplier * 10).toPrecision(6)),
        mscale_all_dim: Number((multiplier * 10).toPrecision(6)),
      }),
    }),
  });
}

/** The factors of published models with llama3 scaling. */
const LLAMA3_FACTORS = [8, 32, 16, 4];
const LLAMA3 = { lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 } as const;

/** llama.cpp's converter writes divisors in float32, so they match only to this tolerance. */
const SAME = 1e-4;

/** Recognises the divisors of a llama3 block; any others become both lists of a longrope block. */
function fromDivisors(divisors: readonly number[], theta = 10_000): UnknownRecord {
  const base = { theta, rotaryDim: 2 * divisors.length };
  const { invFreq } = computeRope({ type: 'default', ...base });
  for (const factor of LLAMA3_FACTORS) {
    const table = computeRope({ type: 'llama3', ...base, ...LLAMA3, factor }).invFreq;
    const same = divisors.every(
      (divisor, pair) => Math.abs(invFreq[pair]! / table[pair]! / divisor - 1) < SAME,
    );
    if (same) {
      return {
        rope_type: 'llama3',
        factor,
        low_freq_factor: LLAMA3.lowFreqFactor,
        high_freq_factor: LLAMA3.highFreqFactor,
        original_max_position_embeddings: LLAMA3.originalMaxPositions,
      };
    }
  }
  return {
    rope_type: 'longrope',
    short_factor: divisors,
    long_factor: divisors,
    attention_factor: 1,
  };
}

/** Reads a number, a 64-bit integer, or a list with one per layer, of which the largest counts. */
function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint') return Number(value);
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const all = value.map(asNumber);
  return all.every((one) => one !== undefined) ? Math.max(...all) : undefined;
}

/** The keys of Mistral's params.json and their names in a config.json. */
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

/** Keys of the length; the first one present counts. */
const LENGTH_KEYS = ['max_position_embeddings', 'max_seq_len', 'model_max_length'] as const;

/** Whether an object is a params.json of Mistral or Meta instead of a config.json. */
export function isMistralParams(params: UnknownRecord): boolean {
  const has = (key: string): boolean => (own(params, key) ?? null) !== null;
  return !has('model_type') && has('dim') && has('n_layers') && has('n_heads');
}

/**
 * Converts Mistral's params.json to a config.json: the same numbers under other names, and a block
 * `yarn` whose beta is beta_fast and whose alpha is beta_slow. Without `apply_scale`, YaRN has no
 * temperature.
 *
 * @returns undefined for anything else
 * @throws RopeEvalError `missing_field` for a file without a length (Meta's original params.json)
 * @see vLLM `transformers_utils/configs/mistral.py`
 */
export function fromMistralParams(params: UnknownRecord): UnknownRecord | undefined {
  if (!isMistralParams(params)) return undefined;
  const length = LENGTH_KEYS.find((key) => (own(params, key) ?? null) !== null);
  if (length === undefined) {
    fail(
      'missing_field',
      'max_position_embeddings',
      'is missing: this params.json says no length',
      'give the config.json of the same model in the form that transformers reads',
    );
  }
  // A latent head has three widths, and none of them is head_dim.
  const latent = Object.hasOwn(params, 'kv_lora_rank');
  const renamed = NAMES.flatMap(([from, to]) =>
    Object.hasOwn(params, from) && !(latent && from === 'head_dim')
      ? [[to, params[from]] as const]
      : [],
  );
  return defined({
    model_type: modelTypeOf(params),
    // Here an absent window means none, whereas the class of a config.json would supply its
    // default.
    sliding_window: null,
    ...Object.fromEntries(renamed),
    max_position_embeddings: params[length],
    rope_scaling: yarnBlock(params),
  });
}

/** Latent attention runs DeepSeek's code, and a query scaling is Ministral 3's. */
function modelTypeOf(params: UnknownRecord): string {
  if (Object.hasOwn(params, 'kv_lora_rank')) return 'deepseek_v3';
  if (isRecord(params['llama_4_scaling']) && isRecord(params['yarn'])) return 'ministral3';
  return isRecord(params['moe']) ? 'mixtral' : 'mistral';
}

function yarnBlock(params: UnknownRecord): UnknownRecord | undefined {
  const yarn = params['yarn'];
  if (!isRecord(yarn)) return undefined;
  return defined({
    rope_type: 'yarn',
    factor: own(yarn, 'factor'),
    original_max_position_embeddings: own(yarn, 'original_max_position_embeddings'),
    beta_fast: own(yarn, 'beta'),
    beta_slow: own(yarn, 'alpha'),
    attention_factor: own(yarn, 'apply_scale') === true ? undefined : 1,
    llama_4_scaling_beta: own(params['llama_4_scaling'], 'beta'),
  });
}

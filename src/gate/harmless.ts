import { isRecord, type UnknownRecord } from '../json/parse.js';

/** Keys that may change without affecting anything that the gate checks, and why. */
interface Harmless {
  readonly keys: readonly string[];
  readonly reason: string;
  /** Values that the reason applies to. With any other, the key is a different setting. */
  readonly takes: (value: unknown) => boolean;
  /** Where the reason holds; default: everywhere. It must hold in both parts that have the key. */
  readonly where?: (part: UnknownRecord) => boolean;
  /** Whether the reason only applies to models with RoPE. */
  readonly withRope?: boolean;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value);
const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isText = (value: unknown): boolean => typeof value === 'string';
const isShare = (value: unknown): boolean =>
  isNumber(value) && Number(value) > 0 && Number(value) < 1;
/** Whether a value is a whole number, a list of them, or null. */
const isTokens = (value: unknown): boolean =>
  value === null || isCount(value) || (Array.isArray(value) && value.every(isCount));
const isSampling = (value: unknown): boolean =>
  value === null || isNumber(value) || isFlag(value) || isText(value);
/** Whether a value is a number format in the spelling of transformers or torch. */
const isDtype = (value: unknown): boolean =>
  isText(value) &&
  /^(?:torch\.)?(?:auto|half|double|b?float(?:\d+(?:_\w+)?)?)$/.test(String(value));

/** Whether a part says that its layers have no window, and lists no layer type with one. */
function hasNoWindow(part: UnknownRecord): boolean {
  const types = part['layer_types'] ?? [];
  return (
    part['use_sliding_window'] === false &&
    Array.isArray(types) &&
    types.every((each) => each === 'full_attention')
  );
}

/** Keys that a policy need not allow. Any other that the reading ignores is not judged. */
const HARMLESS: readonly Harmless[] = Object.freeze([
  {
    keys: [
      'bos_token_id',
      'eos_token_id',
      'unk_token_id',
      'sep_token_id',
      'cls_token_id',
      'mask_token_id',
      'decoder_start_token_id',
      'forced_bos_token_id',
      'forced_eos_token_id',
    ],
    takes: isTokens,
    reason: 'names tokens of the vocabulary; no angle depends on which token stands where',
  },
  {
    keys: ['pad_token_id'],
    takes: isTokens,
    reason: 'names a token of the vocabulary; no angle depends on it',
    // RoBERTa counts its learned positions from this number on.
    withRope: true,
  },
  {
    keys: ['torch_dtype', 'dtype'],
    takes: isDtype,
    reason: 'number format of the weights; transformers computes rotary tables in float32',
  },
  {
    keys: ['initializer_range', 'init_std', 'initializer_factor', 'initializer_cutoff_factor'],
    takes: isShare,
    reason: 'spread of fresh weights; a trained checkpoint replaces them',
  },
  {
    keys: [
      'attention_dropout',
      'hidden_dropout',
      'residual_dropout',
      'embedding_dropout',
      'classifier_dropout',
      'resid_pdrop',
      'embd_pdrop',
      'attn_pdrop',
      'dropout',
      'router_aux_loss_coef',
      'router_jitter_noise',
    ],
    takes: isNumber,
    reason: 'acts in training alone',
  },
  {
    keys: ['output_router_logits', 'gradient_checkpointing'],
    takes: isFlag,
    reason: 'acts in training alone',
  },
  {
    keys: ['transformers_version', '_commit_hash'],
    takes: isText,
    reason: 'says where the file comes from; no class reads it',
  },
  {
    keys: ['_name_or_path', 'name_or_path'],
    takes: isText,
    reason: 'says where the file comes from; no class reads it',
    // The name says which repository remote code is loaded from.
    where: (part) => !Object.hasOwn(part, 'auto_map'),
  },
  {
    keys: ['use_cache', 'output_attentions', 'output_hidden_states', 'return_dict', 'torchscript'],
    takes: isFlag,
    reason: 'how the same numbers are computed or returned',
  },
  {
    keys: ['pretraining_tp', 'chunk_size_feed_forward'],
    takes: isCount,
    reason: 'how the same numbers are computed or returned',
  },
  {
    keys: [
      'do_sample',
      'temperature',
      'top_k',
      'top_p',
      'num_beams',
      'repetition_penalty',
      'length_penalty',
      'no_repeat_ngram_size',
      'max_new_tokens',
      'early_stopping',
    ],
    takes: isSampling,
    reason: 'a default for generation; the model computes the same probabilities',
  },
  {
    keys: ['id2label', 'label2id', 'problem_type', 'num_labels', 'finetuning_task'],
    takes: () => true,
    reason: 'names the outputs of a classifier',
  },
  {
    keys: ['vocab_size'],
    takes: isCount,
    reason: 'rows of the embedding; weights of another size do not load',
  },
  {
    keys: ['max_window_layers'],
    takes: isCount,
    reason: 'no layer has a window',
    where: hasNoWindow,
  },
  {
    keys: ['sliding_window'],
    takes: isTokens,
    reason: 'use_sliding_window is false, so that no layer has a window',
    where: hasNoWindow,
  },
]);

/** One side of a difference: the object that contains the key, and the key's value there. */
export interface KeyIn {
  readonly part: unknown;
  readonly value: unknown;
}

/**
 * Says why a changed key is harmless.
 *
 * @param path of the key; the last name counts
 * @param sides the configs before and after the change, as far as they have the key
 * @param rotates whether the model uses RoPE both before and after
 * @returns the reason; undefined = the key is not known to be harmless
 */
export function harmlessReason(
  path: readonly string[],
  sides: readonly KeyIn[],
  rotates: boolean,
): string | undefined {
  const label = path.findIndex((each) => LABELS.has(each));
  const parents = path.slice(0, label === -1 ? -1 : label);
  // In any other object, such as a rope block, the name may mean something else.
  if (!parents.every((each) => PARTS.has(each))) return undefined;
  const name = path[label === -1 ? path.length - 1 : label] ?? '';
  return HARMLESS.find(
    ({ keys, takes, where, withRope = false }) =>
      keys.includes(name) &&
      (rotates || !withRope) &&
      sides.every(({ value }) => label !== -1 || takes(value)) &&
      (where === undefined || sides.every(({ part }) => isRecord(part) && where(part))),
  )?.reason;
}

/** Objects whose keys are arbitrary: `id2label.0`. */
const LABELS: ReadonlySet<string> = new Set(['id2label', 'label2id']);

/** Objects that hold the config of a part of the model. `quantization_config` does not. */
const PARTS: ReadonlySet<string> = new Set([
  'text_config',
  'vision_config',
  'audio_config',
  'speech_config',
  'image_config',
  'video_config',
  'thinker_config',
  'talker_config',
  'language_config',
  'llm_config',
  'encoder',
  'encoder_config',
  'decoder',
  'decoder_config',
]);

import { isRecord, type UnknownRecord } from '../json/parse.js';

/** Why a change of a key cannot touch what the gate stands for. */
interface Harmless {
  readonly keys: readonly string[];
  readonly reason: string;
  /** Where the reason holds; default: everywhere. Both parts that hold the key are asked. */
  readonly where?: (part: UnknownRecord) => boolean;
}

/** Keys that nobody has to allow. What is not here and has no effect on the reading is not judged. */
const HARMLESS: readonly Harmless[] = Object.freeze([
  {
    keys: [
      'bos_token_id',
      'eos_token_id',
      'pad_token_id',
      'unk_token_id',
      'sep_token_id',
      'cls_token_id',
      'mask_token_id',
      'decoder_start_token_id',
      'forced_bos_token_id',
      'forced_eos_token_id',
    ],
    reason: 'names tokens of the vocabulary; no angle depends on which token stands where',
  },
  {
    keys: ['torch_dtype', 'dtype'],
    reason: 'number format of the weights; transformers computes rotary tables in float32',
  },
  {
    keys: ['initializer_range', 'init_std', 'initializer_factor', 'initializer_cutoff_factor'],
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
      'output_router_logits',
      'gradient_checkpointing',
    ],
    reason: 'acts in training alone',
  },
  {
    keys: ['transformers_version', '_name_or_path', 'name_or_path', '_commit_hash'],
    reason: 'says where the file comes from; no class reads it',
  },
  {
    keys: [
      'use_cache',
      'output_attentions',
      'output_hidden_states',
      'return_dict',
      'torchscript',
      'pretraining_tp',
      'chunk_size_feed_forward',
    ],
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
    reason: 'a default for generation; the model computes the same probabilities',
  },
  {
    keys: ['id2label', 'label2id', 'problem_type', 'num_labels', 'finetuning_task'],
    reason: 'names the outputs of a classifier',
  },
  {
    keys: ['vocab_size'],
    reason: 'rows of the embedding; weights of another size do not load',
  },
  {
    keys: ['max_window_layers'],
    reason: 'no layer has a window',
    where: (part) => part['use_sliding_window'] === false && !Array.isArray(part['layer_types']),
  },
  {
    keys: ['sliding_window'],
    reason: 'use_sliding_window is false, so that no layer has a window',
    where: (part) => part['use_sliding_window'] === false && !Array.isArray(part['layer_types']),
  },
]);

/**
 * @param path of the key; the last name counts
 * @param parts the objects that hold the key before and after the change
 * @returns the reason; undefined: the key is not known to be harmless
 */
export function harmlessReason(
  path: readonly string[],
  parts: readonly unknown[],
): string | undefined {
  const label = path.findIndex((each) => LABELS.has(each));
  const parents = path.slice(0, label === -1 ? -1 : label);
  // In any other object, a rope block among them, the name may mean something else.
  if (!parents.every((each) => PART.test(each))) return undefined;
  const name = path[label === -1 ? path.length - 1 : label] ?? '';
  return HARMLESS.find(
    ({ keys, where }) =>
      keys.includes(name) &&
      (where === undefined || parts.every((part) => isRecord(part) && where(part))),
  )?.reason;
}

/** Objects of their own: `id2label.0`. */
const LABELS: ReadonlySet<string> = new Set(['id2label', 'label2id']);

/** Objects that hold the config of a part of the model. */
const PART = /^(?:\w+_config|encoder|decoder)$/;

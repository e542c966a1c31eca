"""Asks transformers about pairs of configs that the gate passed without any finding.

    npm run fuzz -- --budget 0 --pairs 5000 --seed 1 --silent /tmp/pairs.jsonl
    /tmp/transformers/bin/python tools/transformers/silent.py /tmp/pairs.jsonl

Each line has a config before and after a change. The config class of its model type is built from both, and what the
class would pass to its layers is compared. A difference there means that the gate passed a change that transformers
reads. The exit code is 1 if there is such a pair.
"""

import json
import logging
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

from transformers.models.auto.configuration_auto import CONFIG_MAPPING  # noqa: E402

# Fields about how numbers are stored, trained, sampled or named; see src/gate/harmless.ts.
HARMLESS = {
    *("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "cls_token_id"),
    *("mask_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id"),
    *("torch_dtype", "dtype", "initializer_range", "init_std", "initializer_factor"),
    *("initializer_cutoff_factor", "attention_dropout", "hidden_dropout", "residual_dropout"),
    *("embedding_dropout", "classifier_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "dropout"),
    *("router_aux_loss_coef", "router_jitter_noise", "output_router_logits", "gradient_checkpointing"),
    *("transformers_version", "_name_or_path", "name_or_path", "_commit_hash", "use_cache"),
    *("output_attentions", "output_hidden_states", "return_dict", "torchscript", "pretraining_tp"),
    *("chunk_size_feed_forward", "do_sample", "temperature", "top_k", "top_p", "num_beams"),
    *("repetition_penalty", "length_penalty", "no_repeat_ngram_size", "max_new_tokens"),
    *("early_stopping", "id2label", "label2id", "problem_type", "num_labels", "finetuning_task"),
    *("vocab_size", "architectures"),
}


def reading(config):
    """What the class reads from a config, except for what is harmless; for an error, its kind."""
    model_type = config.get("model_type")
    if model_type not in CONFIG_MAPPING:
        return ("unknown", model_type)
    try:
        built = CONFIG_MAPPING[model_type].from_dict(dict(config))
    except Exception as error:
        return ("error", type(error).__name__)
    return ("read", strip(built.to_dict()))


def strip(value):
    if isinstance(value, dict):
        unused = {"sliding_window", "max_window_layers"} if value.get("use_sliding_window") is False else ()
        return {key: strip(one) for key, one in value.items() if key not in HARMLESS and key not in unused}
    if isinstance(value, (list, tuple)):
        return [strip(one) for one in value]
    return value


def differing(before, after, path=""):
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}, key=str):
            yield from differing(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif before != after:
        yield path, before, after


def main(paths):
    asked = found = broken = 0
    for path in paths:
        for line in open(path, encoding="utf-8"):
            before, after = (json.loads(text) for text in json.loads(line))
            old, new = reading(before), reading(after)
            asked += 1
            if old[0] != "read":
                broken += 1
                continue
            if new[0] != "read":
                found += 1
                print(f"{before.get('model_type')}: the class refuses it now ({new[1]})")
                print(f"  {json.dumps(before)}\n  {json.dumps(after)}")
                continue
            differences = list(differing(old[1], new[1]))
            if differences:
                found += 1
                print(f"{before.get('model_type')}: {differences}"[:600])
                print(f"  {json.dumps(before)}\n  {json.dumps(after)}")
    print(f"{asked} pairs, {asked - broken} that the class reads before the change, {found} read differently after it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

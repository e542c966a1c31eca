"""Checks vLLM: makes `ModelConfig` as `vllm serve` does, with the printed overrides and length, so that the engine's
own reading of the config and its own length check decide. The model class is then built at a tiny size, and its
rotary modules rotate unit vectors."""

import os

os.environ.setdefault("VLLM_LOGGING_LEVEL", "CRITICAL")
os.environ["HF_HUB_OFFLINE"] = "1"
# The wheel for accelerators runs on the CPU as well, without the kernels.
os.environ["VLLM_TARGET_DEVICE"] = "cpu"
# Latent attention has no kernel for the CPU. The plain form builds the same rotary module.
os.environ["VLLM_MLA_DISABLE"] = "1"

import json
import re
import tempfile

import torch
import vllm.distributed as distributed
from vllm.config import set_current_vllm_config
from vllm.engine.arg_utils import EngineArgs
from vllm.model_executor.layers import rotary_embedding
from vllm.model_executor.model_loader.utils import initialize_model

import transformers_rotary
from native import check_native
from serve import serve


def arguments(case, length):
    folder = tempfile.mkdtemp()
    with open(f"{folder}/config.json", "w") as file:
        json.dump(case["config"], file)
    return EngineArgs(
        model=folder,
        hf_overrides=case["overrides"],
        max_model_len=length,
        skip_tokenizer_init=True,
        load_format="dummy",
        dtype="float32",
        enforce_eager=True,
    )


def build(config):
    rotary_embedding._ROPE_DICT.clear()
    with set_current_vllm_config(config):
        if not distributed.parallel_state.model_parallel_is_initialized():
            place = f"file://{tempfile.mktemp()}"
            distributed.init_distributed_environment(1, 0, place, 0, "gloo")
            distributed.initialize_model_parallel(1, 1)
        return initialize_model(config)


def run(case, found):
    found.facts["ownLength"] = arguments(case, None).create_model_config().max_model_len
    config = arguments(case, case["asked"]).create_engine_config()
    found.facts["acceptedLength"] = config.model_config.max_model_len
    model = build(config)
    for group in case["meant"]:
        if not check_native(model, group, case["positions"], found):
            transformers_rotary.check(model, group, case["positions"], found)


if __name__ == "__main__":
    with torch.no_grad():
        serve(run)

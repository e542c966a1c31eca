"""Checks SGLang: makes `ModelConfig` as `launch_server` does, with the printed overrides and length. The model class
is then built at a tiny size, and its rotary modules rotate unit vectors."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import json
import sys
import tempfile
import types

# Without a GPU, SGLang imports vLLM's kernel for rotary embeddings, which is never called here.
kernels = types.ModuleType("vllm._custom_ops")
kernels.rotary_embedding = None
sys.modules["vllm"] = types.ModuleType("vllm")
sys.modules["vllm._custom_ops"] = kernels

import torch
import sglang.srt.distributed as distributed
from sglang.srt.configs.model_config import ModelConfig
from sglang.srt.layers.dp_attention import initialize_dp_attention
from sglang.srt.layers.rotary_embedding import factory
from sglang.srt.model_loader.utils import get_model_architecture
from sglang.srt.runtime_context import SpawnRanks, publish
from sglang.srt.server_args import ServerArgs
from sglang.srt.utils.common import reserve_rope_cache_for_long_sequences

import transformers_rotary
from native import check_native
from serve import serve


def model_config(case, length):
    folder = tempfile.mkdtemp()
    with open(f"{folder}/config.json", "w") as file:
        json.dump(case["config"], file)
    args = ServerArgs(
        model_path=folder,
        json_model_override_args=json.dumps(case["overrides"]),
        context_length=length,
        device="cpu",
        dtype="float32",
        # No attention is computed, but gpt-oss only accepts backends that know its sinks.
        attention_backend="triton" if case["config"]["model_type"] == "gpt_oss" else "torch_native",
        load_format="dummy",
        skip_tokenizer_init=True,
    )
    publish(args, role="scheduler", ranks=SpawnRanks(world_rank=0, gpu_id=0))
    if not distributed.model_parallel_is_initialized():
        place = f"file://{tempfile.mktemp()}"
        distributed.init_distributed_environment(1, 0, place, 0, "gloo")
        distributed.initialize_model_parallel()
        initialize_dp_attention(args)
    return ModelConfig.from_server_args(args)


def build_plain_tables(model_class):
    """Makes DeepSeek's class build tables without a scaling as on a GPU, because its factory for the CPU only knows
    its YaRN."""
    module = sys.modules[model_class.__module__]
    if not hasattr(module, "get_rope_wrapper"):
        return

    def wrapper(*words, device=None, **more):
        on = device if more.get("rope_scaling") else None
        return factory.get_rope_wrapper(*words, device=on, **more)

    module.get_rope_wrapper = wrapper


def run(case, found):
    factory._ROPE_DICT.clear()
    found.facts["ownLength"] = model_config(case, None).context_len
    config = model_config(case, case["asked"])
    found.facts["acceptedLength"] = config.context_len
    torch.set_default_dtype(torch.float32)
    model_class, _ = get_model_architecture(config)
    build_plain_tables(model_class)
    model = model_class(config=config.hf_config, quant_config=None)
    # The server does the same before it accepts requests.
    reserve_rope_cache_for_long_sequences(model, config)
    for group in case["meant"]:
        if not check_native(model, group, case["positions"], found):
            transformers_rotary.check(model, group, case["positions"], found)


if __name__ == "__main__":
    with torch.no_grad():
        serve(run)

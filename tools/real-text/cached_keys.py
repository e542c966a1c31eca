"""Measures how cached keys affect dynamic NTK, on a decoder of real text.

    python cached_keys.py runs/real-text-c0.55.pt --corpus runs/corpus.pt

transformers computes the frequencies of `dynamic` for the length at hand (`dynamic_rope_update` in
modeling_rope_utils.py; LlamaDynamicNTKScalingRotaryEmbedding before 4.43) and caches keys after the rotation. So
one forward pass over a text rotates everything alike, and a text that is read bit by bit does not:

    at once     one pass: every query and key has the table of the whole length
    by token    decoding: the key and the query of position t have the table of length t + 1
    by chunk    prefill in chunks, each with the table of the length at its own end
    generated   a prompt of one window at once, the rest token by token
    stale       by token, after a longer text: within the window the table of that text is still there, beyond it the
                own length's (transformers 4.38 to 4.42 and 5.0; others go back to the window's table)
    one query   every query has the table of the whole length, the key of position t that of length t + 1: what a
                script measures that patches attention to get a perplexity in one pass (NormXU/Consistent-DynamicNTKRoPE)

By token, a query has the table of its own length. In the last mode, every query has the table of the last
position, which also breaks positions within the window. No version of transformers does this.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent))
from real_text import BOS, DOCUMENTS, Probe, Shape, inverse_frequencies, rotary_table, theta_for  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
from model import rotate  # noqa: E402


def dynamic_base(theta, factor, length, window, dim):
    """transformers' `_compute_dynamic_ntk_parameters`: the base for a context of `length` tokens."""
    alpha = factor * max(length, window) / window - (factor - 1)
    return theta * alpha ** (dim / (dim - 2))


def tables(lengths, factor, theta, window, head_dim, rotary):
    """lengths (T,): the context length for the table of each position -> cos, sin (T, head_dim / 2)."""
    stands = (head_dim - rotary) // 2  # pairs that do not turn
    rows = [
        rotary_table(inverse_frequencies(dynamic_base(theta, factor, int(n), window, rotary), rotary), torch.tensor([t]))
        for t, n in enumerate(lengths)
    ]
    cos, sin = torch.cat([c for c, _ in rows]), torch.cat([s for _, s in rows])
    return F.pad(cos, (0, stands), value=1.0), F.pad(sin, (0, stands))


def forward(model, tokens, queries, keys):
    """The decoder with separate tables for queries and keys; tokens (B, T) -> logits (B, T, V)."""
    x = model.embed(tokens)
    b, t = tokens.shape
    for block in model.blocks:
        qkv = block.qkv(block.norm1(x)).view(b, t, 3, block.heads, block.head_dim)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(rotate(q, *queries), rotate(k, *keys), v, is_causal=True)
        x = x + block.out(y.transpose(1, 2).reshape(b, t, -1))
        gate, value = block.up(block.norm2(x)).chunk(2, dim=-1)
        x = x + block.down(F.silu(gate) * value)
    return model.head(model.norm(x))


def modes(length, window):
    """-> {mode: (lengths of the queries' tables, lengths of the keys' tables)}, each (length,)."""
    own = torch.arange(1, length + 1)
    whole = torch.full((length,), length)
    chunk = window // 4
    chunked = (own + chunk - 1) // chunk * chunk
    prompt = torch.where(own <= window, window, own)
    stale = torch.where(own <= window, length, own)
    return {
        "at once": (whole, whole),
        "by token": (own, own),
        "by chunk": (chunked.clamp(max=length),) * 2,
        "generated": (prompt, prompt),
        "stale": (stale, stale),
        "one query": (whole, own),
    }


@torch.inference_mode()
def main(a):
    torch.set_num_threads(a.threads)
    saved, held = torch.load(a.model), torch.load(a.corpus)["held"]
    shape = Shape(**saved["shape"])
    model = Probe(shape)
    model.load_state_dict(saved["model"])
    window, theta = shape.window, theta_for(saved["c"], shape.window)
    rotary = 2 * round(saved.get("rotaryShare", 1.0) * shape.head_dim / 2)
    end = 8 * window
    texts = [d[:end].long() for d in held if len(d) >= end][: a.documents]
    out = []
    for windows in (2, 4):
        length = windows * window
        contexts = torch.stack([torch.cat((torch.tensor([BOS]), d[end - length :])) for d in texts])
        targets = contexts[:, 1:]
        for factor in (1, 2, 4):
            for mode, (queries, keys) in modes(length, window).items():
                q, k = (tables(x, factor, theta, window, shape.head_dim, rotary) for x in (queries, keys))
                total = torch.zeros(length)
                for some, wanted in zip(contexts.split(4), targets.split(4)):
                    logits = forward(model, some[:, :-1], q, k)
                    loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")
                    total += loss.view(len(some), length).sum(0)
                mean = total / len(texts)
                row = {
                    "windows": windows, "factor": factor, "mode": mode,
                    # The last tokens are what generation meets; all tokens are what a perplexity counts.
                    "last": round(mean[-window // 2 :].mean().item(), 4), "all": round(mean.mean().item(), 4),
                }
                out.append(row)
                print(json.dumps(row), flush=True)
    if a.out:
        Path(a.out).write_text(json.dumps({"model": Path(a.model).stem, "documents": len(texts), "rows": out}, indent=1) + "\n")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--corpus", required=True)
    p.add_argument("--documents", type=int, default=DOCUMENTS)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--out")
    main(p.parse_args())

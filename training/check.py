"""Compares the exported ONNX members with PyTorch, on both graphs.

    python check.py --models ../fixtures/probe-models runs/*.pt

Prints the largest difference in log-probability: the graph alone (same 8-bit weights in PyTorch)
must stay below 1e-4 within the window, and below 1e-3 at twice the window, where an unscaled model
fails and amplifies rounding. 8-bit storage changes single log-probabilities, but must not change
their mean by 5e-3.
"""

import argparse
import random
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

import language
from export import as_stored
from model import Probe, Shape, inverse_frequencies, rotary_table, theta_for


def torch_scores(model, tokens, scored, targets, cos, sin):
    with torch.inference_mode():
        every = model(tokens, cos, sin).log_softmax(-1)
    rows = torch.gather(every, 1, scored[..., None].expand(-1, -1, every.shape[-1]))
    return torch.gather(rows, 2, targets[..., None])[..., 0].numpy(), (rows.argmax(-1) == targets).numpy()


def draw(rng, saved, shape, length):
    """-> tokens (B, T), scored (B, T) with every row, targets (B, T), cos and sin (T, D/2)"""
    tokens = torch.tensor(language.batch(rng, language.tables(), 4, length + 1, 0.2)[0])
    share = saved.get("rotaryShare", 1.0)
    cos, sin = rotary_table(inverse_frequencies(theta_for(saved["c"], shape.window), shape.head_dim, share), torch.arange(length))
    return tokens[:, :-1], torch.arange(length).expand(4, -1), tokens[:, 1:], cos, sin


def feeds_of(tokens, scored, targets, cos, sin):
    """The inputs that every graph has."""
    return {"tokens": tokens.numpy(), "positions": scored.numpy(), "scored": scored.numpy(), "targets": targets.numpy(),
            "q_cos": cos.numpy(), "q_sin": sin.numpy(), "k_cos": cos.numpy(), "k_sin": sin.numpy()}


def session(models, graph, weights):
    options = ort.SessionOptions()
    data = (models / weights).read_bytes()
    options.add_external_initializers_from_files_in_memory(["weights"], [data], [len(data)])
    return ort.InferenceSession((models / graph).read_bytes(), options)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--models", default="../fixtures/probe-models")
    p.add_argument("checkpoints", nargs="+")
    a = p.parse_args()
    models, failed = Path(a.models), False
    for path in a.checkpoints:
        saved = torch.load(path, weights_only=False)
        shape, rng = Shape(**saved["shape"]), random.Random(7)
        exact, stored = Probe(shape).eval(), Probe(shape).eval()
        exact.load_state_dict(saved["model"])
        stored.load_state_dict(as_stored(saved["model"]))
        for length in (shape.window, 2 * shape.window):
            args = draw(rng, saved, shape, length)
            (want, _), (want_stored, right) = torch_scores(exact, *args), torch_scores(stored, *args)
            feeds = feeds_of(*args) | {"indices": np.arange(length)}
            extra = {"decoder.onnx": {"block": np.triu(np.full((64, 64), -1e9, np.float32), 1)},
                     "decoder-portable.onnx": {}}
            for graph, more in extra.items():
                got, correct = session(models, graph, f"{Path(path).stem}.weights").run(None, feeds | more)
                graph_error, storage_error = np.abs(got - want_stored).max(), np.abs((got - want).mean())
                agree = (correct == right).mean()
                bad = graph_error > (1e-4 if length <= shape.window else 1e-3) or storage_error > 5e-3 or agree < 0.998
                failed |= bool(bad)
                print(f"{Path(path).stem} {graph} T={length}: graph {graph_error:.1e}, 8-bit storage {storage_error:.1e} "
                      f"on the mean, same verdict {agree:.4f}{'  FAILED' if bad else ''}")
    sys.exit(failed)


if __name__ == "__main__":
    main()

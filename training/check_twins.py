"""Compares the exported twins with PyTorch, as check.py does for the family.

    python check_twins.py --models ../fixtures/probe-models runs/nope-s1.pt ...

The graph must agree with PyTorch on the same 8-bit weights, to 1e-4 within the window and to 1e-3 at
twice the window, where twins that fail amplify rounding. 8-bit storage changes single
log-probabilities, but must not change their mean by 1e-2. The limit is twice that of check.py,
because NoPE derives order from the causal mask with sharp attention, which is sensitive to rounding.
"""

import argparse
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch

from check import draw, feeds_of, session, torch_scores
from export import as_stored
from model import Probe, Shape
from twins import probe


def position_inputs(twin, length, shape):
    """-> added (T, d), bias (H, T, T) as inputs of the graph"""
    added, bias = (None, None) if type(twin) is Probe else twin.position(length)
    if added is None:
        added = torch.zeros(length, shape.width)
    if bias is None:
        bias = torch.zeros(shape.heads, length, length).masked_fill(torch.ones(length, length).triu(1).bool(), -1e9)
    return added.detach().numpy(), bias.detach().clamp(min=-1e9).numpy()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", default="../fixtures/probe-models")
    p.add_argument("checkpoints", nargs="+")
    a = p.parse_args()
    models, failed = Path(a.models), False
    graph = json.loads((models / "encodings.json").read_text())["graph"]
    for path in a.checkpoints:
        saved = torch.load(path, weights_only=False)
        shape, rng, name = Shape(**saved["shape"]), random.Random(7), Path(path).stem
        exact, stored = probe(saved["encoding"], shape).eval(), probe(saved["encoding"], shape).eval()
        exact.load_state_dict(saved["model"])
        stored.load_state_dict(as_stored(saved["model"]))
        decoder = session(models, graph, f"{name}.weights")
        for length in (shape.window,) if saved["encoding"] == "learned" else (shape.window, 2 * shape.window):
            *text, cos, sin = draw(rng, saved, shape, length)
            if saved["encoding"] != "rope":
                cos, sin = torch.ones_like(cos), torch.zeros_like(sin)
            args = (*text, cos, sin)
            (want, _), (want_stored, right) = torch_scores(exact, *args), torch_scores(stored, *args)
            added, bias = position_inputs(stored, length, shape)
            got, correct = decoder.run(None, feeds_of(*args) | {"added": added, "bias": bias})
            graph_error, storage_error = np.abs(got - want_stored).max(), np.abs((got - want).mean())
            agree = (correct == right).mean()
            bad = graph_error > (1e-4 if length <= shape.window else 1e-3) or storage_error > 1e-2 or agree < 0.998
            failed |= bool(bad)
            print(f"{name} {graph} T={length}: graph {graph_error:.1e}, 8-bit storage {storage_error:.1e} "
                  f"on the mean, same verdict {agree:.4f}{'  FAILED' if bad else ''}")
    sys.exit(failed)


if __name__ == "__main__":
    main()

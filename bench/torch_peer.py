"""The peer of bench/bench.js: the same weights, contexts, batches and tables in PyTorch.

It uses inference mode and scaled_dot_product_attention, and computes log-probabilities only where
they are scored. It reads one JSON line per request on stdin ({"dir", "threads"}) and answers with
one line ({"seconds", "worst"}). "worst" is the largest difference from ONNX Runtime's results.
"""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "training"))
from export import pack  # noqa: E402
from model import Probe, Shape  # noqa: E402


def load(weights, shape):
    model = Probe(shape).eval()
    state = model.state_dict()
    _, index = pack(state)
    data = Path(weights).read_bytes()
    def read(kind, offset, dims):
        return np.frombuffer(data, kind, math.prod(dims), offset).reshape(dims)

    for name, (offset, dims, scale, scale_dims) in index.items():
        array = read("<f4", offset, dims) if scale is None else read("i1", offset, dims) * read("<f4", scale, scale_dims)
        state[name] = torch.from_numpy(array.T.copy() if scale is not None and name != "embed.weight" else array.copy())
    model.load_state_dict(state)
    return model


def read(folder, batch):
    def array(name, kind, *dims):
        return torch.from_numpy(np.fromfile(folder / f"{batch['id']}.{name}", kind).reshape(dims))

    b, t, s, p = batch["batch"], batch["length"], batch["score"], batch["pairs"]
    # There is one table for all contexts, or one for each context (if they are stretched and squeezed).
    table = (t, p) if batch["rows"] == t else (b, 1, t, p)
    return (array("tokens", "<i8", b, t), array("scored", "<i8", b, s), array("targets", "<i8", b, s),
            array("cos", "<f4", *table), array("sin", "<f4", *table), array("want", "<f4", b, s))


def run(model, tokens, scored, targets, cos, sin):
    x = model.embed(tokens)
    for block in model.blocks:
        x = block(x, cos, sin)
    rows = torch.gather(x, 1, scored[..., None].expand(-1, -1, x.shape[-1]))
    logits = model.head(model.norm(rows)).log_softmax(-1)
    logits.argmax(-1) == targets
    return torch.gather(logits, 2, targets[..., None])[..., 0]


def main():
    cache = {}
    for line in sys.stdin:
        request = json.loads(line)
        folder = Path(request["dir"])
        torch.set_num_threads(request["threads"])
        if folder not in cache:
            plan = json.loads((folder / "plan.json").read_text())
            cache[folder] = (load(plan["weights"], Shape()), [read(folder, b) for b in plan["batches"]])
        model, batches = cache[folder]
        with torch.inference_mode():
            worst, start = 0.0, time.perf_counter()
            outputs = [run(model, *batch[:5]) for batch in batches]
            seconds = time.perf_counter() - start
            worst = max((float((o - b[5]).abs().max()) for o, b in zip(outputs, batches)), default=0.0)
        print(json.dumps({"seconds": seconds, "worst": worst, "torch": torch.__version__}), flush=True)


if __name__ == "__main__":
    main()

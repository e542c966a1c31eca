"""Exports the twins of twins.py to ONNX, RoPE's among them.

    python export_twins.py --out ../fixtures/probe-models runs/rope-s1.pt runs/alibi-s1.pt runs/nope-s1.pt ...

- encodings.onnx     the portable decoder with `added` (T, d) and `bias` (H, T, T) as inputs: all
                     twins share it, RoPE's too, with both at zero;
- <twin>.weights     like those of the family, followed by the twin's own table in the same form;
- encodings.json     the model card's data.

export.py must have written language.json before.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper

from export import Graph, pack, put, quantised, sha256
from model import Shape, theta_for
from twins import ENCODINGS

OWN_TABLE = "position.table"


class TwinGraph(Graph):
    mask = "bias"

    def first_qkv(self):
        return self.qkv("blocks.0.", "placed")  # what is added depends on the position

    def embedding(self):
        return self.op("Add", [super().embedding(), "added"], "placed")

    def row_mask(self):
        """bias (H, T, T) for the rows that attend: (B, H, S, T)."""
        rows = self.op("Gather", ["bias", "scored"], "bias.rows", axis=1)  # (H, B, S, T)
        return self.op("Transpose", [rows], "rows_mask", perm=[1, 0, 2, 3])

    def inputs(self):
        return [i for i in super().inputs() if i.name != "indices"]  # the bias is causal already

    def mask_inputs(self):
        value = helper.make_tensor_value_info
        return [value("added", TensorProto.FLOAT, ["length", self.s.width]),
                value("bias", TensorProto.FLOAT, [self.s.heads, "length", "length"])]


def export_twin(path, out):
    saved = torch.load(path, weights_only=False)
    name, shape = Path(path).stem, Shape(**saved["shape"])
    table = saved["model"].pop(OWN_TABLE, None)
    blob, index = pack(saved["model"])
    own = None
    if table is not None:
        values, scales = quantised(table)
        own = {"shape": list(table.shape), "values": put(blob, values.numpy())[0], "scales": put(blob, scales.numpy())[0]}
    (out / f"{name}.weights").write_bytes(blob)
    print(name, len(blob), "bytes")
    parameters = sum(v.numel() for v in saved["model"].values()) + (0 if table is None else table.numel())
    return shape, index, {
        "name": name, "encoding": saved["encoding"], "theta": theta_for(saved["c"], shape.window), "window": shape.window, "seed": saved["seed"],
        "steps": saved["steps"], "learningRate": saved["learningRate"], "weights": f"{name}.weights",
        "weightsSha256": sha256(blob), "table": own, "parameters": parameters, "trainingCurve": saved["curve"],
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default="../fixtures/probe-models")
    p.add_argument("checkpoints", nargs="+")
    a = p.parse_args()
    out, twins = Path(a.out), []
    for path in a.checkpoints:
        shape, index, twin = export_twin(path, out)
        twins.append(twin)
    graph = TwinGraph(shape, index, chunked=False).build().SerializeToString()
    (out / "encodings.onnx").write_bytes(graph)
    rope = next(twin for twin in twins if twin["encoding"] == "rope")
    twins.remove(rope)
    order = list(ENCODINGS)
    twins.sort(key=lambda twin: order.index(twin["encoding"]))
    card = {"version": 1, "shape": shape.asdict(), "graph": "encodings.onnx", "graphSha256": sha256(graph),
            "languageSha256": sha256((out / "language.json").read_bytes()), "rope": rope, "twins": twins}
    (out / "encodings.json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()

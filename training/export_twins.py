"""Exports the twins of twins.py to ONNX, beside the family that they are compared with.

    python export_twins.py --out ../fixtures/probe-models runs/rope-s1.pt runs/alibi-s1.pt ...

- encodings.onnx     the portable decoder with `added` (T, d) and `bias` (H, T, T) as inputs: all
                     twins share it, RoPE's too, with both at zero;
- <twin>.weights     8-bit integers with a float32 scale for each row of a matrix, half the size of
                     the family's; a table of the twin's own follows in the same form;
- encodings.json     the model card's data.

RoPE's checkpoint is the family's member for c 0.38 under the name rope-s1.pt.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper

from export import ALIGNMENT, Graph, sha256
from model import Shape, theta_for
from twins import ENCODINGS

OWN_TABLE = "position.table"


def quantised(weight):
    """weight (rows, columns) -> int8 (rows, columns), float32 scale (rows, 1); a vector is left alone."""
    if weight.ndim == 1:
        return weight, None
    scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return (weight / scale).round().to(torch.int8), scale


def pack(state):
    """-> bytes, {name: (offset, dims, scale's offset or None, scale's dims)}; matrices as (in, out), what MatMul wants"""
    blob, index = bytearray(), {}

    def put(array):
        blob.extend(b"\0" * (-len(blob) % ALIGNMENT))
        offset = len(blob)
        blob.extend(np.ascontiguousarray(array).tobytes())
        return offset, list(array.shape)

    for name, weight in state.items():
        values, scale = quantised(weight)
        turn = (lambda x: x.numpy().T) if scale is not None and name != "embed.weight" else (lambda x: x.numpy())
        index[name] = (*put(turn(values)), *(put(turn(scale)) if scale is not None else (None, None)))
    return bytes(blob), index


class TwinGraph(Graph):
    mask = "bias"

    def weight(self, name, offset, dims, scale, scale_dims):
        size = int(np.prod(dims))
        if scale is None:
            self.op("Identity", [self.stored(f"{name}.whole", TensorProto.FLOAT, offset, 4 * size, dims)], name)
            return
        raw = self.stored(f"{name}.int8", TensorProto.INT8, offset, size, dims)
        scales = self.stored(f"{name}.scale", TensorProto.FLOAT, scale, 4 * int(np.prod(scale_dims)), scale_dims)
        self.op("Mul", [self.op("Cast", [raw], f"{name}.cast", to=TensorProto.FLOAT), scales], name)

    def embedding(self):
        return self.op("Add", [super().embedding(), "added"], "placed")

    def row_mask(self):
        """bias (H, T, T) at the rows that ask: (B, H, S, T)."""
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
        own = {"shape": list(table.shape)}
        for key, part in (("values", values.numpy()), ("scales", scales.numpy().astype("<f4"))):
            blob += b"\0" * (-len(blob) % ALIGNMENT)
            own[key] = len(blob)
            blob += part.tobytes()
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
    graph = TwinGraph(shape, index, fused=False).build().SerializeToString()
    (out / "encodings.onnx").write_bytes(graph)
    rope = next(twin for twin in twins if twin["encoding"] == "rope")
    twins = [twin for twin in twins if twin["encoding"] != "rope"]
    order = list(ENCODINGS)
    twins.sort(key=lambda twin: order.index(twin["encoding"]))
    card = {"version": 1, "shape": shape.asdict(), "graph": "encodings.onnx", "graphSha256": sha256(graph),
            "languageSha256": sha256((out / "language.json").read_bytes()), "rope": rope, "twins": twins}
    (out / "encodings.json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()

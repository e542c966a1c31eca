"""Exports trained members to ONNX.

    python export.py --out ../fixtures/probe-models runs/c0.38-s1.pt runs/c0.45-s1.pt ...

All members share two small graphs and differ only in their weights, so that the
attention operator can suit the device:

- decoder.onnx           attention in chunks of queries, each with the keys up to its end: the fastest on
                         the CPU (bench/attention.py), and no T x T matrix;
- decoder-portable.onnx  MatMul + Softmax, makes its own mask: runs wherever ONNX Runtime runs, CUDA included;
- <member>.weights       8-bit integers with a float32 scale for each row of a matrix, read as external
                         data and widened to float32 when loaded.

Cos and sin are separate graph inputs for queries and keys, so one session serves every scaling.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

import language
from model import Shape, theta_for

ALIGNMENT = 64
OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]


def quantised(weight):
    """weight (rows, columns) -> int8 (rows, columns), float32 scale (rows, 1); vectors stay unchanged."""
    if weight.ndim == 1:
        return weight, None
    scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return (weight / scale).round().to(torch.int8), scale


def as_stored(state):
    """The weights as a graph reads them back, for comparisons."""
    def read(values, scale):
        return values if scale is None else values.float() * scale

    return {name: read(*quantised(weight)) for name, weight in state.items()}


def put(blob, array):
    """Appends an array at the next aligned offset. -> (offset, dims)"""
    blob.extend(b"\0" * (-len(blob) % ALIGNMENT))
    offset = len(blob)
    blob.extend(np.ascontiguousarray(array).tobytes())
    return offset, list(array.shape)


def pack(state):
    """-> bytes, {name: (offset, dims, offset of the scale or None, dims of the scale)}; matrices are (in, out), as
    MatMul expects."""
    blob, index = bytearray(), {}
    for name, weight in state.items():
        values, scale = quantised(weight)
        turn = (lambda x: x.numpy().T) if scale is not None and name != "embed.weight" else (lambda x: x.numpy())
        index[name] = (*put(blob, turn(values)), *(put(blob, turn(scale)) if scale is not None else (None, None)))
    return blob, index


class Graph:
    mask = "mask"  # what is added to the attention logits of all rows

    def __init__(self, shape, index, chunked):
        self.s, self.chunked = shape, chunked
        self.nodes, self.initializers = [], []
        for name, stored in index.items():
            self.weight(name, *stored)

    def weight(self, name, offset, dims, scale, scale_dims):
        size = math.prod(dims)
        if scale is None:
            self.op("Identity", [self.stored(f"{name}.whole", TensorProto.FLOAT, offset, 4 * size, dims)], name)
            return
        values = self.stored(f"{name}.int8", TensorProto.INT8, offset, size, dims)
        scales = self.stored(f"{name}.scale", TensorProto.FLOAT, scale, 4 * math.prod(scale_dims), scale_dims)
        self.op("Mul", [self.op("Cast", [values], f"{name}.cast", to=TensorProto.FLOAT), scales], name)

    def stored(self, name, kind, offset, length, dims):
        """Declares a tensor in the weights file."""
        t = TensorProto(name=name, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", "weights"), ("offset", offset), ("length", length)):
            t.external_data.add(key=key, value=str(value))
        self.initializers.append(t)
        return name

    def constant(self, name, array):
        self.initializers.append(onnx.numpy_helper.from_array(np.asarray(array), name))
        return name

    def op(self, kind, inputs, output, domain="", **attributes):
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return output

    def norm(self, x, weight, out):
        return self.op("SimplifiedLayerNormalization", [x, weight], out, axis=-1, epsilon=1e-6)

    def heads(self, x, perm):
        """(B, T, H D) -> (B, H, T, D), or (B, H, D, T) for keys."""
        return self.op("Transpose", [self.op("Reshape", [x, "split_heads"], f"{x}.4d")], f"{x}.heads", perm=perm)

    def softmax_attention(self, p, q, k, v, mask):
        """q (B, S, H D), k and v (B, T, H D), mask added to the scores (B, H, S, T) -> (B, S, H D)"""
        scores = self.op("MatMul", [self.heads(q, [0, 2, 1, 3]), self.heads(k, [0, 2, 3, 1])], f"{p}scores")
        scaled = self.op("Mul", [scores, "scale"], f"{p}scaled")
        weights = self.op("Softmax", [self.op("Add", [scaled, mask], f"{p}masked")], f"{p}weights", axis=-1)
        mixed = self.op("MatMul", [weights, self.heads(v, [0, 2, 1, 3])], f"{p}mixed")
        merged = self.op("Transpose", [mixed], f"{p}merged", perm=[0, 2, 1, 3])
        return self.op("Reshape", [merged, "merge_heads"], f"{p}y")

    def attention(self, p, q, k, v):
        if not self.chunked:
            return self.softmax_attention(p, q, k, v, self.mask)
        scaled = self.op("Mul", [self.heads(q, [0, 2, 1, 3]), "scale"], f"{p}q.scaled")
        body = self.chunk(p, scaled, self.heads(k, [0, 2, 3, 1]), self.heads(v, [0, 2, 1, 3]))
        parts = self.op("Loop", ["chunks", "true"], f"{p}parts", body=body)  # (chunks, B, H, C, D)
        merged = self.op("Transpose", [parts], f"{p}merged", perm=[1, 0, 3, 2, 4])
        return self.op("Reshape", [merged, "merge_chunks"], f"{p}y")

    def chunk(self, p, q, k, v):
        """Chunk i of C queries over the first (i + 1) C keys: q, v (B, H, T, D), k (B, H, D, T) -> (B, H, C, D)."""
        s, nodes = self.s, []

        def op(kind, inputs, output, **attributes):
            nodes.append(helper.make_node(kind, inputs, [p + output], **attributes))
            return p + output

        start = op("Unsqueeze", [op("Mul", [f"{p}i", "chunk"], "from"), "axis0"], "from1")
        stop = op("Unsqueeze", [op("Add", [f"{p}from", "chunk"], "to"), "axis0"], "to1")
        ask = op("Slice", [q, start, stop, "axis2"], "q.chunk")
        keys = op("Slice", [k, "nought", stop, "axis3"], "k.before")
        values = op("Slice", [v, "nought", stop, "axis2"], "v.before")
        # Only the last C keys need the mask (C, C). It is zero for all earlier keys.
        later = op("Pad", ["block", op("Concat", ["nought", start, "noughts"], "pads", axis=0)], "later")
        scores = op("Add", [op("MatMul", [ask, keys], "scores"), later], "masked")
        op("MatMul", [op("Softmax", [scores], "weights", axis=-1), values], "part")
        op("Identity", [f"{p}go"], "on")
        value = helper.make_tensor_value_info
        return helper.make_graph(nodes, f"{p}chunk",
                                 [value(f"{p}i", TensorProto.INT64, []), value(f"{p}go", TensorProto.BOOL, [])],
                                 [value(f"{p}on", TensorProto.BOOL, []), value(f"{p}part", TensorProto.FLOAT, ["batch", s.heads, "chunk", s.head_dim])])

    def chunk_constants(self):
        for axis in (0, 2, 3):
            self.constant(f"axis{axis}", np.array([axis]))
        self.constant("nought", np.array([0])), self.constant("noughts", np.array([0, 0])), self.constant("true", np.array(True))
        self.constant("merge_chunks", np.array([0, -1, self.s.heads * self.s.head_dim]))
        self.op("Squeeze", [self.op("Shape", ["block"], "block.size", start=0, end=1)], "chunk")
        self.op("Div", [self.op("Squeeze", [self.op("Shape", ["indices"], "indices.size")], "length.all"), "chunk"], "chunks")

    def rotate(self, x, side, positions):
        return self.op("RotaryEmbedding", [x, positions, f"{side}_cos", f"{side}_sin"], f"{x}.rotated",
                       "com.microsoft", num_heads=self.s.heads, interleaved=0)

    def mlp(self, p, x):
        h = self.norm(x, f"{p}norm2.weight", f"{p}h2")
        gate, value = self.products(h, f"{p}up.weight", [f"{p}gate", f"{p}value"])
        silu = self.op("QuickGelu", [gate], f"{p}silu", "com.microsoft", alpha=1.0)
        down = self.op("MatMul", [self.op("Mul", [silu, value], f"{p}act"), f"{p}down.weight"], f"{p}d")
        return self.op("Add", [x, down], f"{p}x2")

    def products(self, x, weight, outputs):
        """x times equal parts of a weight. The weight is split when the graph is loaded, because splitting products
        costs a copy."""
        parts = self.op("Split", [weight], [f"{o}.weight" for o in outputs], axis=1, num_outputs=len(outputs))
        return [self.op("MatMul", [x, part], o) for part, o in zip(parts, outputs)]

    def qkv(self, p, x):
        return self.products(self.norm(x, f"{p}norm1.weight", f"{p}h1"), f"{p}qkv.weight", [f"{p}q", f"{p}k", f"{p}v"])

    def first_qkv(self):
        """q, k and v of the first layer. They depend on the token alone, so they are looked up in tables that are
        computed once for the vocabulary."""
        return [self.op("Gather", [table, "tokens"], f"{table}.rows") for table in self.qkv("blocks.0.", "embed.weight")]

    def block(self, i, x):
        p = f"blocks.{i}."
        q, k, v = self.first_qkv() if i == 0 else self.qkv(p, x)
        y = self.attention(p, self.rotate(q, "q", "positions"), self.rotate(k, "k", "positions"), v)
        x = self.op("Add", [x, self.op("MatMul", [y, f"{p}out.weight"], f"{p}o")], f"{p}x1")
        return self.mlp(p, x)

    def last_block(self, i, x):
        """Only the scored rows attend and continue: (B, T, d) -> (B, S, d)."""
        p = f"blocks.{i}."
        h = self.norm(x, f"{p}norm1.weight", f"{p}h1")
        q_weight, k_weight, v_weight = self.op("Split", [f"{p}qkv.weight"], [f"{p}{x}.weight" for x in "qkv"], axis=1, num_outputs=3)
        k, v = self.op("MatMul", [h, k_weight], f"{p}k"), self.op("MatMul", [h, v_weight], f"{p}v")
        rows = lambda source, out: self.op("GatherND", [source, "scored_nd"], out, batch_dims=1)
        q = self.op("MatMul", [rows(h, f"{p}h1.rows"), q_weight], f"{p}q")
        q = self.rotate(q, "q", rows("positions", "positions.rows"))
        y = self.softmax_attention(p, q, self.rotate(k, "k", "positions"), v, "rows_mask")
        x = self.op("Add", [rows(x, f"{p}x.rows"), self.op("MatMul", [y, f"{p}out.weight"], f"{p}o")], f"{p}x1")
        return self.mlp(p, x)

    def row_mask(self):
        """-1e9 if a key comes after the row that attends: (B, 1, S, T), by index and not by position."""
        self.constant("zero", np.array(0.0, np.float32)), self.constant("far", np.array(-1e9, np.float32))
        self.constant("head_axis", np.array([1, 3], np.int64))
        self.unseen(self.op("Unsqueeze", ["scored", "head_axis"], "asks"), "later", "rows_mask")  # asks (B, 1, S, 1)
        if not self.chunked:
            # Passing it as an input would cost more than everything else, because it has 256 MiB at 8192 tokens.
            self.constant("row_axis", np.array([1], np.int64))
            self.unseen(self.op("Unsqueeze", ["indices", "row_axis"], "asks.all"), "later.all", self.mask)  # (T, T)

    def unseen(self, asks, later, out):
        """asks (..., 1), the rows that attend -> later, out (..., T): out is -1e9 if a key comes after its row."""
        return self.op("Where", [self.op("Greater", ["indices", asks], later), "far", "zero"], out)

    def embedding(self):
        """-> (B, T, d)"""
        return self.op("Gather", ["embed.weight", "tokens"], "x0")

    def build(self):
        s = self.s
        self.constant("last_axis", np.array([-1], np.int64))
        self.op("Unsqueeze", ["scored", "last_axis"], "scored_nd")
        self.row_mask()
        self.constant("split_heads", np.array([0, 0, s.heads, s.head_dim], np.int64))
        self.constant("merge_heads", np.array([0, 0, s.heads * s.head_dim], np.int64))
        self.constant("scale", np.array(s.head_dim**-0.5, np.float32))
        if self.chunked:
            self.chunk_constants()
        x = self.embedding()
        for i in range(s.layers - 1):
            x = self.block(i, x)
        rows = self.last_block(s.layers - 1, x)
        logits = self.op("MatMul", [self.norm(rows, "norm.weight", "final"), "head.weight"], "logits")
        every = self.op("LogSoftmax", [logits], "every", axis=-1)
        self.op("GatherND", [every, self.op("Unsqueeze", ["targets", "last_axis"], "targets_nd")],
                "log_probability", batch_dims=2)
        best = self.op("ArgMax", [logits], "best", axis=-1, keepdims=0)
        self.op("Equal", [best, "targets"], "correct")
        value = helper.make_tensor_value_info
        outputs = [value("log_probability", TensorProto.FLOAT, ["batch", "score"]),
                   value("correct", TensorProto.BOOL, ["batch", "score"])]
        graph = helper.make_graph(self.nodes, "rope-eval probe decoder", self.inputs(), outputs, self.initializers)
        return helper.make_model(graph, opset_imports=OPSETS, ir_version=10, producer_name="rope-eval training")

    def inputs(self):
        value, pairs = helper.make_tensor_value_info, self.s.head_dim // 2
        common = [
            value("tokens", TensorProto.INT64, ["batch", "length"]),
            value("positions", TensorProto.INT64, ["batch", "length"]),
            value("indices", TensorProto.INT64, ["length"]),
            *(value(f"{side}_{f}", TensorProto.FLOAT, ["rows", pairs]) for side in "qk" for f in ("cos", "sin")),
            value("scored", TensorProto.INT64, ["batch", "score"]),
            value("targets", TensorProto.INT64, ["batch", "score"]),
        ]
        return common + self.mask_inputs()

    def mask_inputs(self):
        return [helper.make_tensor_value_info("block", TensorProto.FLOAT, ["chunk", "chunk"])] if self.chunked else []


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default="../fixtures/probe-models")
    p.add_argument("checkpoints", nargs="+")
    a = p.parse_args()
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "language.json").write_text(json.dumps(language.as_json(), separators=(",", ":")) + "\n")
    members, graphs = [], {}
    for path in sorted(a.checkpoints):
        saved = torch.load(path, weights_only=False)
        shape = Shape(**saved["shape"])
        blob, index = pack(saved["model"])
        if not graphs:
            for name, chunked in (("decoder.onnx", True), ("decoder-portable.onnx", False)):
                data = Graph(shape, index, chunked).build().SerializeToString()
                (out / name).write_bytes(data)
                graphs[name] = sha256(data)
        name = Path(path).stem
        (out / f"{name}.weights").write_bytes(blob)
        members.append({
            "name": name, "criticalFraction": saved["c"], "theta": theta_for(saved["c"], shape.window),
            "window": shape.window, "seed": saved["seed"], "rotaryShare": saved.get("rotaryShare", 1.0), "steps": saved["steps"],
            "learningRate": saved["learningRate"], "init": saved["init"], "weights": f"{name}.weights",
            "weightsSha256": sha256(blob), "parameters": sum(v.numel() for v in saved["model"].values()),
            "trainingCurve": saved["curve"],
        })
        print(name, len(blob), "bytes")
    members.sort(key=lambda m: (-m["rotaryShare"], m["criticalFraction"], m["seed"]))
    card = {"version": 1, "shape": shape.asdict(), "graphs": graphs,
            "languageSha256": sha256((out / "language.json").read_bytes()), "members": members}
    (out / "family.json").write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()

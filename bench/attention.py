"""Measures causal attention by operator, as a share of the machine's float32 GEMM; best of interleaved rounds.

    python3 bench/attention.py --threads 1

The work counts as 2 B H T (T + 1) D, which a causal pass needs, for the probe models' heads. The last column is
PyTorch's scaled_dot_product_attention. "in chunks" is what decoder.onnx does (training/export.py): MatMul, Softmax
and MatMul over 64 or 128 queries at a time and only the keys up to their end, in an ONNX Loop.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

SHAPE = json.loads((Path(__file__).parent.parent / "fixtures/probe-models/family.json").read_text())["shape"]
H, D = SHAPE["heads"], SHAPE["head_dim"]
W = H * D
SHAPES = ((8, 256), (4, 512), (2, 1024), (1, 2048))
value, node = helper.make_tensor_value_info, helper.make_node


def model(nodes, inputs, constants=()):
    qkv = [value(x, TensorProto.FLOAT, ["b", "t", W]) for x in "qkv"]
    graph = helper.make_graph(nodes, "attention", [*qkv, *inputs], [value("y", TensorProto.FLOAT, ["b", "t", W])],
                              [numpy_helper.from_array(np.asarray(a), n) for n, a in constants])
    opsets = [helper.make_opsetid("", 23), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="rope-eval bench")


def in_chunks():
    """Inputs besides q, k, v: block, the causal mask (C, C) for C queries at a time; C divides T."""
    inside = helper.make_graph([
        node("Mul", ["i", "chunk"], ["from"]), node("Add", ["from", "chunk"], ["to"]),
        node("Unsqueeze", ["from", "axis0"], ["from1"]), node("Unsqueeze", ["to", "axis0"], ["to1"]),
        node("Slice", ["qh", "from1", "to1", "axis2"], ["qc"]), node("Slice", ["kh", "start", "to1", "axis3"], ["kc"]),
        node("Slice", ["vh", "start", "to1", "axis2"], ["vc"]), node("MatMul", ["qc", "kc"], ["scores"]),
        node("Concat", ["start", "from1", "ends"], ["pads"], axis=0), node("Pad", ["block", "pads"], ["later"]),
        node("Add", ["scores", "later"], ["masked"]), node("Softmax", ["masked"], ["weights"], axis=-1),
        node("MatMul", ["weights", "vc"], ["yc"]), node("Identity", ["go"], ["go_on"]),
    ], "chunk", [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, [])],
        [value("go_on", TensorProto.BOOL, []), value("yc", TensorProto.FLOAT, ["b", H, None, D])])
    split = [n for x, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3]))
             for n in (node("Reshape", [x, "heads"], [f"{x}4"]), node("Transpose", [f"{x}4"], [f"{x}t" if x == "q" else f"{x}h"], perm=perm))]
    return model([
        node("Shape", ["q"], ["length1"], start=1, end=2), node("Squeeze", ["length1"], ["length"]),
        node("Shape", ["block"], ["chunk1"], start=0, end=1), node("Squeeze", ["chunk1"], ["chunk"]),
        node("Div", ["length", "chunk"], ["count"]), *split, node("Mul", ["qt", "scale"], ["qh"]),
        node("Loop", ["count", "true"], ["parts"], body=inside),
        node("Transpose", ["parts"], ["turned"], perm=[1, 0, 3, 2, 4]), node("Reshape", ["turned", "merged"], ["y"]),
    ], [value("block", TensorProto.FLOAT, ["c", "c"])],
        [*((f"axis{i}", np.array([i])) for i in (0, 2, 3)), ("start", np.array([0])), ("ends", np.array([0, 0])), ("true", np.array(True)),
         ("heads", np.array([0, 0, H, D])), ("merged", np.array([0, -1, W])), ("scale", np.array(D**-0.5, np.float32))])


def gemm():
    square = [value(x, TensorProto.FLOAT, [1024, 1024]) for x in "abc"]
    graph = helper.make_graph([node("MatMul", ["a", "b"], ["c"])], "gemm", square[:2], square[2:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--rounds", type=int, default=12)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    options = ort.SessionOptions()
    options.intra_op_num_threads = a.threads

    def session(m):
        return ort.InferenceSession(m.SerializeToString(), options)

    lengths = [value("last", TensorProto.INT32, ["b"]), value("total", TensorProto.INT32, [])]
    grouped = node("GroupQueryAttention", ["q", "k", "v", "", "", "last", "total"], ["y", "pk", "pv"],
                   domain="com.microsoft", num_heads=H, kv_num_heads=H)
    multi = node("MultiHeadAttention", ["q", "k", "v"], ["y"], domain="com.microsoft", num_heads=H, unidirectional=1)
    standard = node("Attention", ["q", "k", "v"], ["y"], q_num_heads=H, kv_num_heads=H, is_causal=1)
    operators = {"GroupQueryAttention": session(model([grouped], lengths)), "MultiHeadAttention": session(model([multi], [])),
                 "Attention-23": session(model([standard], []))}
    chunked, product = session(in_chunks()), session(gemm())
    rng = np.random.default_rng(1)
    square = rng.standard_normal((1024, 1024)).astype(np.float32)
    for batch, length in SHAPES:
        x = {name: rng.standard_normal((batch, length, W)).astype(np.float32) for name in "qkv"}
        apart = [torch.from_numpy(x[n]).view(batch, length, H, D).transpose(1, 2) for n in "qkv"]
        more = {"GroupQueryAttention": {"last": np.full(batch, length - 1, np.int32), "total": np.array(length, np.int32)}}
        runs = {name: (lambda s=s, f=x | more.get(name, {}): s.run(["y"], f)[0]) for name, s in operators.items()}
        for chunk in (64, 128):
            feed = x | {"block": np.triu(np.full((chunk, chunk), -1e9, np.float32), 1)}
            runs[f"in chunks of {chunk}"] = lambda feed=feed: chunked.run(["y"], feed)[0]
        runs["PyTorch"] = lambda: F.scaled_dot_product_attention(*apart, is_causal=True).transpose(1, 2).reshape(batch, length, W).numpy()
        want = runs["PyTorch"]()
        assert all(np.abs(run() - want).max() < 1e-4 for run in runs.values())
        runs["peak"] = lambda: product.run(None, {"a": square, "b": square})
        best = dict.fromkeys(runs, np.inf)
        for _ in range(a.rounds):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                best[name] = min(best[name], time.perf_counter() - start)
        peak, work = 2 * 1024**3 / best.pop("peak"), 2 * batch * H * length * (length + 1) * D
        shares = ", ".join(f"{name} {work / seconds / peak:.0%}" for name, seconds in best.items())
        print(f"batch {batch}, {length} tokens, peak {peak / 1e9:.0f} GFLOP/s: {shares}")


if __name__ == "__main__":
    main()

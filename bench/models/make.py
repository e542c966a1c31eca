"""Writes the small graphs that bench/ measures: python bench/models/make.py"""

import sys
from pathlib import Path

from onnx import TensorProto, helper

here = Path(__file__).parent
sys.path.insert(0, str(here.parent))
from attention import in_chunks  # noqa: E402

F = TensorProto.FLOAT
value = helper.make_tensor_value_info


def save(name, nodes, inputs, outputs):
    graph = helper.make_graph(nodes, name, inputs, outputs)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="rope-eval bench")
    (here / f"{name}.onnx").write_bytes(model.SerializeToString())


save("gemm", [helper.make_node("MatMul", ["a", "b"], ["c"])],
     [value("a", F, ["m", "k"]), value("b", F, ["k", "n"])], [value("c", F, ["m", "n"])])

(here / "attention.onnx").write_bytes(in_chunks().SerializeToString())

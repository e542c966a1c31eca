"""Writes the single-operator graphs that bench/ measures: python bench/models/make.py"""

from pathlib import Path

from onnx import TensorProto, helper

F, I = TensorProto.FLOAT, TensorProto.INT32
here = Path(__file__).parent
value = helper.make_tensor_value_info


def save(name, nodes, inputs, outputs):
    graph = helper.make_graph(nodes, name, inputs, outputs)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="rope-eval bench")
    (here / f"{name}.onnx").write_bytes(model.SerializeToString())


save("gemm", [helper.make_node("MatMul", ["a", "b"], ["c"])],
     [value("a", F, ["m", "k"]), value("b", F, ["k", "n"])], [value("c", F, ["m", "n"])])

save("attention", [helper.make_node(
    "GroupQueryAttention", ["q", "k", "v", "", "", "last_key", "total_keys"], ["y", "past_k", "past_v"],
    domain="com.microsoft", num_heads=4, kv_num_heads=4)],
     [*(value(x, F, ["b", "t", 256]) for x in "qkv"), value("last_key", I, ["b"]), value("total_keys", I, [])],
     [value("y", F, ["b", "t", 256])])

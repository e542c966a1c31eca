"""Makes tiny decoders with random weights, one for each way in which ONNX exports compute RoPE.

    python tools/tiny-decoders/make.py fixtures/onnx-decoders

Needs `pip install onnx numpy`. The forms imitate what onnxruntime-genai's model builder, optimum, torch.onnx and
older exporters write. All of them share the same weights in one external file. `expected.json` contains
log-probabilities of the numpy decoder below, which shares no code with the graphs, for several rotary tables.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h

LAYERS, HIDDEN, HEADS, KV, DIM, MLP, VOCAB, POSITIONS = 2, 32, 2, 1, 16, 48, 64, 512
THETA, WINDOW, LOCAL, EPS = 10000.0, 64, 8, 1e-6


def weights(seed=1):
    rng = np.random.default_rng(seed)
    w = lambda *s: (rng.standard_normal(s) * (2.5 / np.sqrt(s[0]))).astype(np.float32)
    out = {"embed": rng.standard_normal((VOCAB, HIDDEN)).astype(np.float32), "head": w(HIDDEN, VOCAB)}
    for i in range(LAYERS):
        out |= {
            f"l{i}.q": w(HIDDEN, HEADS * DIM), f"l{i}.k": w(HIDDEN, KV * DIM),
            f"l{i}.v": w(HIDDEN, KV * DIM), f"l{i}.o": w(HEADS * DIM, HIDDEN),
            f"l{i}.gate": w(HIDDEN, MLP), f"l{i}.up": w(HIDDEN, MLP), f"l{i}.down": w(MLP, HIDDEN),
        }
    return out


def inv_freq(theta=THETA):
    return theta ** (-np.arange(0, DIM, 2, dtype=np.float64) / DIM)


def tables(freq, scale, positions):
    angle = np.arange(positions)[:, None] * freq[None]
    return (np.cos(angle) * scale).astype(np.float32), (np.sin(angle) * scale).astype(np.float32)


# ---- the reference: (tokens) -> (tokens, vocabulary) log-probabilities


def decode(w, tokens, freqs, scales, windows):
    """`freqs`, `scales`, `windows`: one for each layer. A window of None sees everything."""
    n = len(tokens)
    norm = lambda x: x / np.sqrt((x * x).mean(-1, keepdims=True) + EPS)
    x = w["embed"][tokens].astype(np.float64)
    for i in range(LAYERS):
        angle = np.arange(n)[:, None] * freqs[i][None]
        cos, sin = np.cos(angle) * scales[i], np.sin(angle) * scales[i]

        def turn(v):
            a, b = v[..., : DIM // 2], v[..., DIM // 2 :]
            return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

        y = norm(x)
        q = turn((y @ w[f"l{i}.q"]).reshape(n, HEADS, DIM).transpose(1, 0, 2))
        k = turn((y @ w[f"l{i}.k"]).reshape(n, KV, DIM).transpose(1, 0, 2)).repeat(HEADS // KV, 0)
        v = (y @ w[f"l{i}.v"]).reshape(n, KV, DIM).transpose(1, 0, 2).repeat(HEADS // KV, 0)
        score = q @ k.transpose(0, 2, 1) / np.sqrt(DIM)
        gap = np.arange(n)[:, None] - np.arange(n)[None]
        hidden = (gap < 0) | ((gap >= windows[i]) if windows[i] else False)
        score = np.where(hidden, -np.inf, score)
        p = np.exp(score - score.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        x = x + (p @ v).transpose(1, 0, 2).reshape(n, HEADS * DIM) @ w[f"l{i}.o"]
        y = norm(x)
        g = y @ w[f"l{i}.gate"]
        x = x + (g / (1 + np.exp(-g)) * (y @ w[f"l{i}.up"])) @ w[f"l{i}.down"]
    logits = norm(x) @ w["head"]
    logits -= logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


# ---- graphs


class Graph:
    def __init__(self, half=False):
        self.nodes, self.init, self.inputs, self.outputs = [], {}, [], []
        self.half = half
        self.type = T.FLOAT16 if half else T.FLOAT
        self.number = 0

    def add(self, op, inputs, outputs=1, name=None, domain="", **attributes):
        self.number += 1
        name = name or f"n{self.number}"
        outs = [f"{name}_{k}" if k else name for k in range(outputs)] if isinstance(outputs, int) else outputs
        self.nodes.append(h.make_node(op, inputs, outs, name=f"/{name}", domain=domain, **attributes))
        return outs[0] if len(outs) == 1 else outs

    def const(self, value, name=None):
        self.number += 1
        name = name or f"c{self.number}"
        value = np.asarray(value)
        if value.dtype == np.float64 or (value.dtype == np.float32 and self.half):
            value = value.astype(np.float16 if self.half else np.float32)
        self.init[name] = value
        return name

    def exact(self, value, name):
        self.init[name] = np.asarray(value)
        return name

    def input(self, name, kind, *dims):
        self.inputs.append(h.make_tensor_value_info(name, kind, dims))
        return name

    def save(self, path, opset=20, external=None):
        tensors = [onnx.numpy_helper.from_array(v, k) for k, v in self.init.items()]
        graph = h.make_graph(self.nodes, "decoder", self.inputs, self.outputs, tensors)
        opsets = [h.make_opsetid("", opset), h.make_opsetid("com.microsoft", 1)]
        model = h.make_model(graph, opset_imports=opsets, producer_name="rope-eval-tiny", ir_version=10)
        if external is None:
            onnx.save(model, path)
            return
        for t in model.graph.initializer:
            if t.name not in external:
                continue
            at, length = external[t.name]
            t.ClearField("raw_data")
            t.data_location = T.EXTERNAL
            for key, value in (("location", "weights.bin"), ("offset", at), ("length", length)):
                entry = t.external_data.add()
                entry.key, entry.value = key, str(value)
        path.write_bytes(model.SerializeToString())


def rms(g, x, name):
    squares = g.add("ReduceMean", [g.add("Mul", [x, x]), g.exact(np.array([-1]), f"{name}.axes")], name=name)
    root = g.add("Sqrt", [g.add("Add", [squares, g.const(np.float64(EPS))])])
    return g.add("Div", [x, root])


def linear(g, x, w, name, four_bit):
    if not four_bit:
        return g.add("MatMul", [x, g.const(w, f"{name}.weight")], name=f"{name}/MatMul")
    packed, scales = quantised(w)
    g.exact(packed, f"{name}.q4")
    g.const(scales, f"{name}.scales")
    return g.add("MatMulNBits", [x, f"{name}.q4", f"{name}.scales"], name=f"{name}/MatMul", domain="com.microsoft",
                 K=w.shape[0], N=w.shape[1], bits=4, block_size=16)


def quantised(w):
    """(K, N) -> (N, blocks, 8) bytes of two 4-bit values around 8, and (N * blocks) scales."""
    blocks = w.T.reshape(w.shape[1], -1, 16)
    scale = np.abs(blocks).max(-1, keepdims=True) / 7 + 1e-8
    q = (np.round(blocks / scale) + 8).clip(0, 15).astype(np.uint8)
    return q[..., 0::2] | (q[..., 1::2] << 4), scale.reshape(-1).astype(np.float32)


def dequantised(w):
    blocks = w.T.reshape(w.shape[1], -1, 16)
    scale = np.abs(blocks).max(-1, keepdims=True) / 7 + 1e-8
    return ((np.round(blocks / scale) + 8).clip(0, 15) - 8).__mul__(scale).reshape(w.shape[1], -1).T.astype(np.float32)


def build(form, half=False, four_bit=False, windows=(None,) * LAYERS):
    g, w = Graph(half), weights()
    grouped = form in ("genai", "genai-longrope", "genai-two-tables", "genai-sliding-cache")
    ids = g.input("input_ids", T.INT64, "batch_size", "sequence_length")
    mask = g.input("attention_mask", T.INT64, "batch_size", "total_sequence_length")
    past = [] if form == "opset-23-rows" else [
        (g.input(f"past_key_values.{i}.key", g.type, "batch_size", KV, "past_sequence_length", DIM),
         g.input(f"past_key_values.{i}.value", g.type, "batch_size", KV, "past_sequence_length", DIM))
        for i in range(LAYERS)]
    one = g.exact(np.array([1]), "one")
    if form == "torch-once":  # Counts its positions from the length of the cache, as optimum's Gemma does.
        size = lambda t, axis: g.add("Squeeze", [g.add("Shape", [t], start=axis, end=axis + 1)])
        first = size(past[0][0], 2)
        end = g.add("Add", [first, size(ids, 1)])
        row = g.add("Range", [first, end, g.exact(np.array(1), "step")], name="model/Range")
        positions = g.add("Unsqueeze", [row, g.exact(np.array([0]), "axis0")])
    elif not grouped:
        positions = g.input("position_ids", T.INT64, "batch_size", "sequence_length")
    if grouped:
        total = g.add("ReduceSum", [mask, one], keepdims=0, name="total")
        lengths = g.add("Cast", [g.add("Sub", [total, one])], to=T.INT32, name="seqlens_k")
        width = g.add("Gather", [g.add("Shape", [mask]), g.exact(np.array(1), "axis1")], name="width")
        total32 = g.add("Cast", [width], to=T.INT32, name="total_sequence_length_32")
    cos, sin = tables(inv_freq(), 1.0, POSITIONS)
    if form in ("genai", "genai-rotary", "opset-23"):
        names = g.const(cos, "cos_cache"), g.const(sin, "sin_cache")
    elif form in ("genai-two-tables", "genai-sliding-cache"):
        local = tables(inv_freq(100.0), 1.0, POSITIONS)
        caches = [tuple(g.const(t, f"{n}_cache_{which}") for n, t in zip(("cos", "sin"), pair))
                  for which, pair in (("local", local), ("global", (cos, sin)))]
    elif form == "genai-longrope":
        def branch(name, freq, scale):
            values = tables(freq, scale, POSITIONS)
            outs = [f"{name}_cos", f"{name}_sin"]
            kind = np.float16 if half else np.float32
            nodes = [h.make_node("Constant", [], [o], value=onnx.numpy_helper.from_array(v.astype(kind)))
                     for o, v in zip(outs, values)]
            return h.make_graph(nodes, name, [], [h.make_tensor_value_info(o, g.type, [POSITIONS, DIM // 2]) for o in outs])
        long = g.add("Greater", [width, g.exact(np.array(WINDOW), "original_window")], name="is_long")
        names = g.add("If", [long], ["cos_cache", "sin_cache"], name="model/rope_caches_subgraph/If",
                      then_branch=branch("long", inv_freq() / 4, 1.1), else_branch=branch("short", inv_freq(), 1.1))
    elif form == "folded":
        wide = [g.const(np.concatenate([t, t], 1), n) for t, n in ((cos, "rope.cos"), (sin, "rope.sin"))]
        rows = [g.add("Gather", [t, positions], axis=0, name=f"rope_{i}") for i, t in enumerate(wide)]
        sites = [rows] * LAYERS
    elif form == "opset-23-rows":
        f = g.exact(inv_freq().astype(np.float32).reshape(1, -1, 1), "rotary_emb.inv_freq")
        p = g.add("Cast", [g.add("Unsqueeze", [positions, one])], to=T.FLOAT)
        angle = g.add("Transpose", [g.add("MatMul", [f, p], name="rotary_emb/MatMul")], perm=[0, 2, 1])
        names = g.add("Cos", [angle], name="rotary_emb/Cos"), g.add("Sin", [angle], name="rotary_emb/Sin")
    elif form in ("torch", "torch-once", "torch-two-tables"):
        def computed(name, freq, scale):
            f = g.exact(freq.astype(np.float32).reshape(1, -1, 1), f"{name}.inv_freq")
            if form == "torch-once":  # Chooses by the length, as torch.onnx writes longrope.
                long = g.add("Greater", [end, g.exact(np.array(WINDOW), "original_window")], name="is_long")
                f = g.add("Where", [long, g.exact((freq / 4).astype(np.float32).reshape(1, -1, 1), f"{name}.long_inv_freq"), f])
            p = g.add("Cast", [g.add("Unsqueeze", [positions, one])], to=T.FLOAT)
            half_ = g.add("Transpose", [g.add("MatMul", [f, p], name=f"{name}/MatMul")], perm=[0, 2, 1])
            both = half_ if form == "torch-once" else g.add("Concat", [half_, half_], axis=-1)
            out = []
            for op in ("Cos", "Sin"):
                v = g.add("Mul", [g.add(op, [both], name=f"{name}/{op}"), g.exact(np.float32(scale), f"{name}.{op}.scaling")])
                out.append(g.add("Cast", [v], to=g.type, name=f"{name}/{op}/Cast"))
            return out
        sites = [computed("rotary_emb", inv_freq(), 1.0)] * LAYERS
        if form == "torch-two-tables":
            sites = [computed("rotary_emb_local", inv_freq(100.0), 1.0), sites[0]]
    x = g.add("Gather", [g.const(w["embed"], "embed.weight"), ids], axis=0, name="embed/Gather")
    for i in range(LAYERS):
        p, y = f"model/layers.{i}", rms(g, x, f"model/layers.{i}/norm")
        q, k, v = (linear(g, y, w[f"l{i}.{n}"], f"{p}/attn/{n}_proj", four_bit) for n in "qkv")
        present = [f"present.{i}.key", f"present.{i}.value"]
        if grouped:
            out = f"{p}/attn/out"
            if form in ("genai-two-tables", "genai-sliding-cache"):
                names = caches[0 if windows[i] else 1]
            g.add("GroupQueryAttention", [q, k, v, *past[i], lengths, total32, *names], [out, *present],
                  name=f"{p}/attn/GroupQueryAttention", domain="com.microsoft", num_heads=HEADS, kv_num_heads=KV,
                  do_rotary=1, rotary_interleaved=0, local_window_size=windows[i] or -1,
                  **({"sliding_window_cache": 1} if windows[i] and form == "genai-sliding-cache" else {}))
        else:
            split = lambda t, n: g.add("Transpose", [g.add("Reshape", [t, g.exact(np.array([0, 0, n, DIM]), f"s{g.number}")])], perm=[0, 2, 1, 3])
            q, k, v = split(q, HEADS), split(k, KV), split(v, KV)
            if form == "genai-rotary":
                q, k = (g.add("RotaryEmbedding", [t, positions, *names], name=f"{p}/attn/{n}_rotary/RotaryEmbedding", domain="com.microsoft")
                        for t, n in ((q, "q"), (k, "k")))
            elif form in ("opset-23", "opset-23-rows"):
                at = [positions] if form == "opset-23" else []
                q, k = (g.add("RotaryEmbedding", [t, *names, *at], name=f"{p}/attn/{n}_rotary/RotaryEmbedding")
                        for t, n in ((q, "q"), (k, "k")))
            else:
                if form != "torch-once":
                    c, s = (g.add("Unsqueeze", [t, one]) for t in sites[i])
                elif i == 0:  # The tracer names what layers share after the first of them.
                    c, s = (g.add("Unsqueeze", [t, one], name=f"{p}/attn/{n}_rows") for t, n in zip(sites[i], ("cos", "sin")))
                def turn(t, label):
                    a, b = (g.add("Slice", [t, g.exact(np.array([f]), f"f{g.number}"), g.exact(np.array([e]), f"e{g.number}"), g.exact(np.array([-1]), f"a{g.number}")])
                            for f, e in ((0, DIM // 2), (DIM // 2, DIM)))
                    if form == "torch-once":  # As GPT-OSS does, whose rows have each pair once.
                        halves = [g.add(op, [g.add("Mul", [x, c]), g.add("Mul", [y, s])]) for op, x, y in (("Sub", a, b), ("Add", b, a))]
                        return g.add("Concat", halves, axis=-1, name=f"{p}/attn/{label}")
                    rotated = g.add("Concat", [g.add("Neg", [b]), a], axis=-1)
                    return g.add("Add", [g.add("Mul", [t, c]), g.add("Mul", [rotated, s])], name=f"{p}/attn/{label}")
                q, k = turn(q, "q_turned"), turn(k, "k_turned")
            if form == "opset-23-rows":
                mixed = g.add("Attention", [q, k, v], name=f"{p}/attn/Attention", is_causal=1)
            else:
                g.add("Concat", [past[i][0], k], [present[0]], axis=2)
                g.add("Concat", [past[i][1], v], [present[1]], axis=2)
                k, v = present
                repeat = lambda t: g.add("Reshape", [g.add("Expand", [g.add("Unsqueeze", [t, g.exact(np.array([2]), f"u{g.number}")]), g.exact(np.array([1, 1, HEADS // KV, 1, 1]), f"x{g.number}")]),
                                                     g.exact(np.array([0, HEADS, -1, DIM]), f"r{g.number}")])
                k, v = repeat(k), repeat(v)
                score = g.add("Mul", [g.add("MatMul", [q, g.add("Transpose", [k], perm=[0, 1, 3, 2])]), g.const(np.float64(DIM ** -0.5))])
                total = g.add("Shape", [k], start=2, end=3)
                keys = g.add("Range", [g.exact(np.array(0), f"z{g.number}"), g.add("Squeeze", [total]), g.exact(np.array(1), f"i{g.number}")])
                gap = g.add("Sub", [g.add("Unsqueeze", [positions, g.exact(np.array([2]), f"u{g.number}")]), keys])
                bad = g.add("Less", [gap, g.exact(np.array(0), f"z{g.number}")])
                if windows[i]:
                    bad = g.add("Or", [bad, g.add("GreaterOrEqual", [gap, g.exact(np.array(windows[i]), f"w{g.number}")])])
                score = g.add("Where", [g.add("Unsqueeze", [bad, one]), g.const(np.float64(-1e4)), score])
                mixed = g.add("MatMul", [g.add("Softmax", [score], axis=-1), v])
            out = g.add("Reshape", [g.add("Transpose", [mixed], perm=[0, 2, 1, 3]), g.exact(np.array([0, 0, HEADS * DIM]), f"s{g.number}")], name=f"{p}/attn/out")
        if past:
            g.outputs += [h.make_tensor_value_info(n, g.type, ["batch_size", KV, "total_sequence_length", DIM]) for n in present]
        x = g.add("Add", [x, linear(g, out, w[f"l{i}.o"], f"{p}/attn/o_proj", four_bit)])
        y = rms(g, x, f"{p}/mlp_norm")
        gate = linear(g, y, w[f"l{i}.gate"], f"{p}/mlp/gate", four_bit)
        act = g.add("Mul", [g.add("Mul", [gate, g.add("Sigmoid", [gate])]), linear(g, y, w[f"l{i}.up"], f"{p}/mlp/up", four_bit)])
        x = g.add("Add", [x, linear(g, act, w[f"l{i}.down"], f"{p}/mlp/down", four_bit)])
    head = [rms(g, x, "final_norm"), g.const(w["head"], "lm_head.weight")]
    if form == "torch-once":  # The tracer puts a bias before the product.
        product = g.add("MatMul", head, name="lm_head/MatMul")
        logits = g.add("Add", [g.const(np.zeros(VOCAB), "lm_head.bias"), product], ["logits"], name="lm_head/Add")
    else:
        logits = g.add("MatMul", head, ["logits"], name="lm_head/MatMul")
    g.outputs.insert(0, h.make_tensor_value_info(logits, g.type, ["batch_size", "sequence_length", VOCAB]))
    return g


FORMS = ("genai", "genai-rotary", "genai-longrope", "opset-23", "torch", "torch-two-tables", "folded", "opset-23-rows",
         "genai-two-tables", "genai-sliding-cache", "torch-once")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    at, shared, blob = 0, {}, b""
    for form in FORMS:
        windows = (LOCAL, None) if form.endswith(("two-tables", "sliding-cache")) else (None,) * LAYERS
        g = build(form, windows=windows)
        external = {}
        for name, value in g.init.items():
            if value.nbytes < 1024 or "inv_freq" in name:
                continue
            key = value.tobytes()
            if key not in shared:
                shared[key] = (len(blob), len(key))
                blob += key
            external[name] = shared[key]
        g.save(folder / f"{form}.onnx", opset=23 if form.startswith("opset-23") else 20, external=external)
    (folder / "weights.bin").write_bytes(blob)
    build("genai").save(folder / "genai-one-file.onnx")
    build("torch", half=True).save(folder / "torch-fp16.onnx")
    build("genai", half=True).save(folder / "genai-fp16.onnx")
    build("genai", four_bit=True).save(folder / "genai-4bit.onnx")
    rng = np.random.default_rng(2)
    tokens = rng.integers(0, VOCAB, 96)
    w = weights()
    w4 = {k: (dequantised(v) if "." in k else v) for k, v in w.items()}
    plain = inv_freq()
    cases = {
        "own table": ([plain] * 2, [1.0] * 2),
        "linear": ([plain / 2] * 2, [1.0] * 2),
        "theta and temperature": ([inv_freq(80000.0)] * 2, [1.07] * 2),
        "one table a layer": ([plain / 3, plain / 1.5], [1.0, 1.05]),
        "long table": ([plain / 4] * 2, [1.1] * 2),
    }
    def expect(weight, case, windows):
        freqs, scales = case
        return {
            "invFreq": [f.tolist() for f in freqs], "attentionScaling": list(scales),
            "logProbability": [round(float(r[t]), 6) for r, t in
                               zip(decode(weight, tokens, freqs, scales, windows)[:-1], tokens[1:])],
        }
    full, local = (None, None), (LOCAL, None)
    two = {**cases, "own table": ([inv_freq(100.0), plain], [1.0] * 2)}
    out = {
        "tokens": tokens.tolist(),
        "shape": {"layers": LAYERS, "headDim": DIM, "theta": THETA, "window": WINDOW, "vocabulary": VOCAB},
        "full": {k: expect(w, c, full) for k, c in cases.items() if k != "one table a layer"},
        "two-tables": {k: expect(w, c, local) for k, c in two.items()},
        "4bit": {k: expect(w4, c, full) for k, c in cases.items() if k != "one table a layer"},
    }
    (folder / "expected.json").write_text(json.dumps(out) + "\n")
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV, "head_dim": DIM, "intermediate_size": MLP,
        "max_position_embeddings": WINDOW, "rope_theta": THETA, "vocab_size": VOCAB,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

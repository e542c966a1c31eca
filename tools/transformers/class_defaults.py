"""Finds the defaults of config classes by their behaviour: what a class uses if a file lacks a key.

Everything here comes from building configs and modules and reading the results, never from parsing source code. What
cannot be found that way is in overrides.json, each with its reason.
"""

import dataclasses
import inspect
import re

import torch

from rope_models import (
    OPT_IN,
    attention_class,
    build,
    config_class,
    layer_labels,
    load,
    modeling_module,
    rotary_class,
)

# A multiple of none of the intervals in use, so that a special last layer is noticed.
LAYERS = 29
# Multimodal classes whose own defaults contradict each other.
OPT_IN_SHAPES = {
    key: value
    for key, value in OPT_IN.items()
    if key in ("hunyuan_vl_text", "glm4v_text", "glm4v_moe_text", "glm_image_text")
}


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def class_default(model_type):
    """The record of a model type, with the fields of src/model/source.ts."""
    cls = config_class(model_type)
    config = build(cls, **OPT_IN_SHAPES.get(model_type, {}))
    fields = {field.name for field in dataclasses.fields(cls)}
    names = getattr(cls, "attribute_map", {}) or {}
    record = {}

    def read(key):
        try:
            return getattr(config, key, None)
        except Exception:  # Configs with keys per layer refuse those that differ among layers.
            return None

    record["hidden"] = number(read("hidden_size"))
    record["heads"] = number(read("num_attention_heads"))
    record["kvHeads"] = number(read("num_key_value_heads"))
    record["layers"] = number(read("num_hidden_layers"))
    record["maxPositions"] = number(read("max_position_embeddings"))
    if "original_max_position_embeddings" in fields:
        record["original"] = number(read("original_max_position_embeddings"))
    record.update(rope_defaults(cls, build(cls)))
    for found in (own_head_dim, uses_partial, layer_defaults, softmax_default, latent_default, layout_of):
        try:
            record.update(found(cls, config, fields))
        except Exception:  # Configs with keys per layer again; overrides.json has what they hide.
            continue
    record["window"] = number(read("sliding_window")) or None
    return {key: value for key, value in record.items() if value is not None and value is not False}


def own_head_dim(cls, config, fields):
    """The head_dim of a class whose default does not follow from its width."""
    if "qk_rope_head_dim" in fields and number(getattr(config, "kv_lora_rank", None)):
        return {"headDim": config.qk_rope_head_dim}
    if "head_dim" not in fields:
        return {}
    wider = build(cls, hidden_size=2 * config.hidden_size, num_attention_heads=config.num_attention_heads)
    value = number(getattr(config, "head_dim", None)) if not isinstance(wider, Exception) else None
    if value is None or isinstance(wider, Exception):
        return {"headDim": value} if value is not None else {}
    return {"headDim": value} if getattr(wider, "head_dim", None) == value else {}


def rope_defaults(cls, config):
    parameters = getattr(config, "rope_parameters", None) or {}
    labels = layer_labels(config)
    if labels != [None]:
        return {"perLayer": {label: one_layer(parameters[label]) for label in labels}}
    # A theta inside the default block is lost if a file brings its own block, and it beats a key outside. A theta
    # beside the block counts in both cases.
    bare = getattr(build(cls, rope_parameters={"rope_type": "default"}), "rope_parameters", None) or {}
    outside = getattr(load(cls, {"rope_theta": 12_345.0}), "rope_parameters", None) or {}
    found = {}
    theta = bare.get("rope_theta")
    if number(theta) not in (None, 10_000.0):
        found["theta"] = whole(theta)
    if number(bare.get("partial_rotary_factor")) not in (None, 1.0):
        found["partial"] = bare["partial_rotary_factor"]
    drop = {"type"}
    if outside.get("rope_theta") == 12_345.0:
        drop.add("rope_theta")
    if bare.get("partial_rotary_factor") == parameters.get("partial_rotary_factor"):
        drop.add("partial_rotary_factor")
    block = {key: whole(value) for key, value in parameters.items() if key not in drop}
    if block.get("rope_type", "default") != "default" or set(block) - {"rope_type", "mrope_section", "mrope_interleaved"}:
        found["block"] = block
    return found


def one_layer(block):
    if block is None:
        return None
    found = {"theta": whole(block["rope_theta"])}
    if block.get("rope_type", "default") != "default":
        found["type"] = block["rope_type"]
    if block.get("partial_rotary_factor") not in (None, 1.0):
        found["partial"] = block["partial_rotary_factor"]
    return found


def whole(value):
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rotary_width(cls, **keys):
    """Numbers of pairs of the unscaled tables, or None if the module cannot be built."""
    config = build(cls, **keys)
    owner = rotary_class(cls)
    if isinstance(config, Exception) or owner is None:
        return None
    try:
        module = owner(config)
    except Exception:
        return None
    for name, buffer in module.named_buffers():
        if name.endswith("inv_freq") and "original" not in name:
            return buffer.shape[-1]
    return None


def uses_partial(cls, config, fields):
    """Whether the unscaled table depends on partial_rotary_factor."""
    parameters = getattr(config, "rope_parameters", None) or {}
    if layer_labels(config) != [None] or not parameters:
        return {}
    base = {key: value for key, value in parameters.items() if key != "partial_rotary_factor"}
    base = {"rope_type": "default", "rope_theta": base.get("rope_theta", 10_000.0),
            **{key: base[key] for key in ("mrope_section",) if key in base}}
    full = rotary_width(cls, rope_parameters={**base, "partial_rotary_factor": 1.0})
    half = rotary_width(cls, rope_parameters={**base, "partial_rotary_factor": 0.5})
    if full is None or half is None:
        return {}
    return {"usesPartial": half != full}


def types_of(cls, layers, **keys):
    config = build(cls, num_hidden_layers=layers, **keys)
    types = getattr(config, "layer_types", None) if not isinstance(config, Exception) else None
    return list(types) if types is not None and len(types) == layers else None


def layer_defaults(cls, config, fields):
    """How layer types repeat: an interval, a pattern, or one type for all layers."""
    types = types_of(cls, LAYERS)
    if types is None or set(types) == {"full_attention"}:
        return {}
    if set(types) == {"indexed_attention"}:
        return {"indexed": True}
    if len(set(types)) == 1:
        return {"allLayers": types[0]}
    longer = types_of(cls, LAYERS + 1)
    found = {}
    last = types[-1] == "full_attention" and longer is not None and longer[LAYERS - 1] != types[-1]
    body = types[:-1] if last else types
    if last:
        found["lastIsFull"] = True
    period = shortest_period(body)
    if period is None:
        period = shortest_period(body[1:]) if types[0] == "full_attention" else None
        if period is None:
            return {"pattern": types_of(cls, config.num_hidden_layers) or types}
        found["firstIsFull"] = True
        body = [body[period], *body[1:]]
    pattern = body[:period]
    others = {name for name in pattern if name != "full_attention"}
    if pattern.count("full_attention") == 1 and len(others) == 1:
        at = pattern.index("full_attention")
        if at in (0, period - 1):
            mix = {"every": period, "other": others.pop()}
            if at == 0 and period > 1 and types[0] == "full_attention":
                mix["first"] = True
            key = interval_key(cls, fields, mix["other"], mix.get("first", False))
            if key is not None:
                mix["everyKey"] = key
            return {**found, "mix": mix}
    return {**found, "pattern": pattern}


def shortest_period(types):
    for period in range(1, len(types) // 2 + 1):
        if all(name == types[index % period] for index, name in enumerate(types)):
            return period
    return None


def interval_key(cls, fields, other, first):
    """The config key that sets the interval, found by setting each number to 3."""
    def wanted(layers):
        return ["full_attention" if (i if first else i + 1) % 3 == 0 else other for i in range(layers)]
    known = {"sliding_window_pattern", "full_attention_interval", "global_attn_every_n_layers"}
    names = sorted(fields | known, key=lambda name: ("every" not in name, name))
    for name in names:
        if not any(word in name for word in ("pattern", "interval", "every", "freq", "group", "period")):
            continue
        found = types_of(cls, 12, **{name: 3})
        if found is not None and found[:9] == wanted(12)[:9]:
            return name
    return None


def scaling_of(cls, **keys):
    """The multiplier on q·k in the attention module, or None if it has none."""
    config = build(cls, **keys)
    owner = attention_class(cls)
    if isinstance(config, Exception) or owner is None:
        return None
    for arguments in ((config, 0), (config,)):
        try:
            with torch.device("meta"):
                module = owner(*arguments)
        except Exception:
            continue
        for name in ("scaling", "scale", "softmax_scale"):
            value = number(getattr(module, name, None))
            if value is not None:
                return value
    return None


def softmax_default(cls, config, fields):
    """If the multiplier is not 1 / sqrt(head_dim): its value, and the key that sets it."""
    scale = scaling_of(cls)
    if scale is None or number(getattr(config, "kv_lora_rank", None)):
        return {}
    try:
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    except Exception:
        return {}
    if abs(scale * head**0.5 - 1) < 1e-9 and "query_pre_attn_scalar" not in fields:
        return {}
    if "attention_multiplier" in fields:
        return {"softmax": {"multiplier": whole(scale)}}
    if "query_pre_attn_scalar" in fields:
        other = scaling_of(cls, query_pre_attn_scalar=4 * config.query_pre_attn_scalar)
        if other is not None and abs(other / scale - 0.5) < 1e-9:
            return {"softmax": {"underRoot": whole(float(config.query_pre_attn_scalar))}}
    wider = scaling_of(cls, head_dim=4 * head)
    return {"softmax": {"fixed": whole(scale)}} if wider == scale else {}


DEEPSEEK = {"rank": 512, "nope": 128, "value": 128}


def latent_default(cls, config, fields):
    """Dimensions of a latent head, unless they are those of DeepSeek."""
    if not number(getattr(config, "kv_lora_rank", None)) or not hasattr(config, "qk_nope_head_dim"):
        return {}
    found = {
        "rank": config.kv_lora_rank,
        "nope": config.qk_nope_head_dim,
        "value": config.v_head_dim,
    }
    if found == DEEPSEEK:
        return {}
    kept = {key: value for key, value in found.items() if key == "nope" or value != DEEPSEEK[key]}
    return {"latent": kept}


def layout_of(cls, config, fields):
    """`interleaved` if a dimension rotates with its neighbour, None if with the other half."""
    owner, attention = rotary_class(cls), attention_class(cls)
    module = modeling_module(cls)
    if owner is None or attention is None:
        return {}
    source = inspect.getsource(attention.forward)
    names = sorted(
        (n for n in vars(module) if re.match(r"apply_(multimodal_)?(rotary|interleaved)", n) and n + "(" in source),
        key=lambda n: ("interleave" not in n, n),
    )
    if "interleave" in "".join(names) and getattr(config, "rope_interleave", True) is False:
        names = [n for n in names if "interleave" not in n]
    for name in names:
        partner = partner_of_first(getattr(module, name), owner, config)
        if partner is not None:
            return {"layout": "interleaved"} if partner == 1 else {}
    return {"layout": "unknown"}


def partner_of_first(apply, owner, config):
    """The dimension that the first one is rotated with."""
    try:
        rotary = owner(config)
        x = torch.zeros(1, 3, 8)
        label = layer_labels(config)[0]
        ids = torch.arange(3)[None]
        if "section" in inspect.signature(apply).parameters or getattr(rotary, "mrope_section", None):
            ids = ids[None].expand(3, 1, 3)
        tables = rotary(x, ids, label) if label else rotary(x, ids)
    except Exception:
        return None
    parts = tables if isinstance(tables, tuple) else (tables,)
    width = parts[0].shape[-1] * (2 if parts[0].is_complex() else 1)
    for scale, shape in ((1, "bhtd"), (2, "bhtd"), (1, "bthd"), (2, "bthd")):
        supports = []
        try:
            dim = width * scale
            for index in range(dim):
                q = torch.zeros(1, 1, 3, dim)
                q[..., index] = 1
                q = q if shape == "bhtd" else q.transpose(1, 2)
                out = None
                for arguments in ((q, q, *parts), (q, *parts)):
                    try:
                        out = apply(*arguments)
                        break
                    except Exception:
                        continue
                if out is None:
                    raise ValueError
                out = out[0] if isinstance(out, tuple) else out
                out = out.reshape(3, -1)[2]
                supports.append(frozenset(torch.nonzero(out.abs() > 1e-9).flatten().tolist()))
            if len(supports[0]) != 2:
                continue
            return next(i for i in range(1, dim) if supports[i] == supports[0])
        except Exception:
            continue
    return None

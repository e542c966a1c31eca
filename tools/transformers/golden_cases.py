"""Makes golden cases by running the constructor and forward of each class's own rotary module.

A case is a config as a user would write it, with the result of forward for position 1 in sequences of some lengths:
one angle per pair, and the multiplier on cos and sin.
"""

import copy
import math

import torch

from rope_models import OPT_IN, build, config_class, field_names, layer_labels, load, rotary_class

ORIGINAL = 2048
MAX_POSITIONS = 8192
# Below, at and just above the original window; at and above max_position_embeddings.
LENGTHS = (1000, ORIGINAL, ORIGINAL + 1, MAX_POSITIONS, 20_000)
KINDS = ("default", "linear", "dynamic", "yarn", "longrope", "longrope with mscales", "llama3", "proportional")
SAMPLES = 5

# Classes that read the two multipliers of longrope, and two that do not.
WITH_MSCALES = ("phimoe", "phi3", "llama", "gemma3_text")


def kinds(model_type):
    return [kind for kind in KINDS if "mscales" not in kind or model_type in WITH_MSCALES]


def block(kind, pairs):
    """The scaling block of a kind. `pairs` decides the length of longrope's lists."""
    original = {"original_max_position_embeddings": ORIGINAL}
    return {
        "default": {},
        "linear": {"factor": 4.0},
        "dynamic": {"factor": 4.0},
        "yarn": {"factor": 4.0, **original},
        "longrope": {
            **original,
            "short_factor": [1.0 + i / 64 for i in range(pairs)],
            "long_factor": [1.0 + i / 4 for i in range(pairs)],
        },
        "longrope with mscales": {
            **original,
            "short_factor": [1.0 + i / 64 for i in range(pairs)],
            "long_factor": [1.0 + i / 4 for i in range(pairs)],
            "short_mscale": 1.1,
            "long_mscale": 1.3,
        },
        "llama3": {"factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, **original},
        "proportional": {"factor": 2.0},
    }[kind]


def widths(model_type):
    """The widths of the class, as a config.json writes them."""
    cls = config_class(model_type)
    config = build(cls)
    record = {"model_type": model_type}
    for key in ("hidden_size", "num_attention_heads", "num_key_value_heads", "kv_lora_rank",
                "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "n_embd", "n_head"):
        try:
            value = getattr(config, key, None)
        except Exception:
            continue
        if isinstance(value, int) and value > 0:
            record[key] = value
    record["max_position_embeddings"] = MAX_POSITIONS
    record["num_hidden_layers"] = 12
    if record.get("num_attention_heads") and record.get("hidden_size", 0) % record["num_attention_heads"]:
        record["hidden_size"] = 64 * record["num_attention_heads"]
    return {**record, **OPT_IN.get(model_type, {})}


def run(model_type, record, length, label):
    """(angles at position 1, multiplier): (pairs,) radians and one number."""
    config = load(config_class(model_type), copy.deepcopy(record))
    if isinstance(config, Exception):
        raise config
    module = rotary_class(config_class(model_type))(config)
    ids = torch.tensor([[0, 1, length - 1]])
    x = torch.zeros(1, 3, 8)
    arguments = {} if label is None else {"layer_type": label}
    try:
        out = module(x, ids, **arguments)
    except (RuntimeError, IndexError, ValueError, TypeError):
        # Modules with three axes (time, height, width) expect three rows of positions.
        out = module(x, ids[None].expand(3, 1, 3), **arguments)
    if torch.is_tensor(out):
        if not out.is_complex():
            raise TypeError("forward returned one real tensor")
        cos, sin = out.real, out.imag
    else:
        cos, sin = out
    cos, sin = (part.detach().reshape(-1, 3, part.shape[-1])[0, 1].double() for part in (cos, sin))
    if float(first_row(out)[0]) < 0.5:
        cos, sin = sin, cos  # GPT-J returns sine before cosine.
    width = cos.shape[-1]
    half = width // 2
    if torch.equal(cos[:half], cos[half:]) and torch.equal(sin[:half], sin[half:]):
        cos, sin = cos[:half], sin[:half]
    elif torch.equal(cos[::2], cos[1::2]) and torch.equal(sin[::2], sin[1::2]):
        cos, sin = cos[::2], sin[::2]
    return torch.atan2(sin, cos).tolist(), torch.hypot(sin, cos)[0].item()


def first_row(out):
    """Position 0 of the first returned table, where every cosine equals its multiplier."""
    part = out.real if torch.is_tensor(out) else out[0]
    return part.detach().reshape(-1, 3, part.shape[-1])[0, 0]


def reaches(model_type, record, length, label):
    """Whether a class can be run at a length. Early classes have a table of max_position_embeddings rows and fail
    beyond."""
    if length <= MAX_POSITIONS:
        return True
    try:
        run(model_type, record, length, label)
    except IndexError as error:
        if "out of bounds" in str(error):
            return False
        raise
    return True


def table(model_type, record, length, label):
    angles, scaling = run(model_type, record, length, label)
    count = len(angles)
    at = sorted({round(i * (count - 1) / (SAMPLES - 1)) for i in range(SAMPLES)})
    return {
        "pairs": count,
        "angles": {str(i): float(f"{angles[i]:.8g}") for i in at},
        "scaling": float(f"{scaling:.8g}"),
    }


# Functions that fail on a head_dim of None, because they treat it as a number.
NEEDS_HEAD_DIM = ("dynamic", "yarn", "longrope")


def missing_head_dim(model_type, config):
    """Whether a class has the field but leaves it None."""
    fields = field_names(config_class(model_type))
    return "head_dim" in fields and getattr(config, "head_dim", 0) is None


def sections(config):
    """What the block of a multimodal class requires besides the scaling."""
    parameters = getattr(config, "rope_parameters", None) or {}
    return {key: parameters[key] for key in ("mrope_section", "mrope_interleaved") if key in parameters}


def pairs_of(model_type, record, label):
    return len(run(model_type, record, 1000, label)[0])


def variants(model_type):
    """(name, config, label of the table): every way to write each kind that the class may accept."""
    base = widths(model_type)
    config = build(config_class(model_type))
    labels = layer_labels(config)
    if model_type in ("cohere_compass_text",):
        yield "none", base, "sliding_attention"
        return
    if labels == [None]:
        yield "none", base, None
        pairs = pairs_of(model_type, base, None)
        for kind in kinds(model_type):
            inner = {"rope_type": kind.split()[0], **block(kind, pairs), **sections(config)}
            yield f"{kind} in rope_scaling", {**base, "rope_theta": 50_000.0, "rope_scaling": inner}, None
            if kind in NEEDS_HEAD_DIM and missing_head_dim(model_type, config):
                explicit = {**base, "head_dim": 2 * pairs, "rope_theta": 50_000.0, "rope_scaling": inner}
                yield f"{kind} with head_dim", explicit, None
            if kind in ("yarn", "longrope"):
                yield f"{kind} in rope_parameters", {**base, "rope_parameters": {**inner, "rope_theta": 50_000.0}}, None
        return
    for label in labels:
        if config.rope_parameters[label] is None:
            continue
        yield "none", base, label
    first = "full_attention" if "full_attention" in labels else labels[-1]
    if config.rope_parameters[first] is None:
        return
    pairs = pairs_of(model_type, base, first)
    flat = {key: value for key, value in base.items()}
    for kind in kinds(model_type):
        nested = {
            label: {"rope_type": "default", "rope_theta": 20_000.0} if value is not None else None
            for label, value in config.rope_parameters.items()
        }
        nested[first] = {"rope_type": kind.split()[0], "rope_theta": 50_000.0, **block(kind, pairs)}
        yield f"{kind} nested", {**base, "rope_parameters": nested}, first
        if kind in ("linear", "yarn"):
            for label in labels:
                yield f"{kind} in rope_scaling", {**flat, "rope_scaling": {"rope_type": kind, **block(kind, pairs)}}, label


def cases(model_type):
    """Every case of a model type, including those that the class refuses."""
    if rotary_class(config_class(model_type)) is None:
        return
    seen = set()
    try:
        listed = list(variants(model_type))
    except Exception as error:
        yield {"id": model_type, "failed": f"{type(error).__name__}: {str(error)[:160]}"}
        return
    for name, record, label in listed:
        identity = f"{model_type}/{name}" + (f"/{label}" if label else "")
        if identity in seen:
            continue
        seen.add(identity)
        case = {"id": identity, "config": record, "label": label}
        try:
            lengths = [length for length in LENGTHS if reaches(model_type, record, length, label)]
            tables = [table(model_type, record, length, label) for length in lengths]
        except Exception as error:
            if name == "none" and isinstance(error, KeyError) and label in str(error):
                continue  # A config this short has no layer of this type.
            yield {**case, "refused": type(error).__name__, "why": str(error).strip().split("\n")[-1][:120]}
            continue
        if any(math.isnan(value) for t in tables for value in t["angles"].values()):
            yield {**case, "refused": "NaN"}
            continue
        if all(t == tables[0] for t in tables):
            yield {**case, "everyLength": tables[0]}
        else:
            yield {**case, "byLength": {str(length): t for length, t in zip(lengths, tables)}}

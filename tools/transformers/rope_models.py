"""Finds the classes that transformers runs: configs, and their rotary and attention modules."""

import dataclasses
import importlib
import inspect
import os
import re

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "critical")

import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING, CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

transformers.logging.set_verbosity(transformers.logging.CRITICAL)

# Excludes model types that do not read text. Their rotary modules rotate by the positions of image patches, audio
# frames or codec tokens, which no context window limits.
OTHER_MODALITY = re.compile(
    r"(vision|audio|image|vqmodel|vqgan|tokenizer|codec|perciever|_tts|talker|bigvgan|_dit|token2wav"
    r"|^sam\d|^edgetam|^dinov3|^eomt|^mlcd|^pixtral|^mimi|^vjepa|^timesfm|^efficientloftr|^sapiens"
    r"|^wav2vec2|^seamless|^clvp|^lasr|^pe_|^neucodec|^xcodec|^esmfold|speech_to_text|diarization"
    r"|transcribe|^glmasr_encoder|^moshi_depth|depth_decoder|^voxtral_realtime_encoder"
    r"|^dia_encoder|^deepseek_ocr2_encoder|^vit)"
)


# Keys without which a class does not rotate or cannot be loaded.
OPT_IN = {
    "esm": {"position_embedding_type": "rotary"},
    "granitemoehybrid": {"position_embedding_type": "rope"},
    "dots3_note_text": {"num_attention_heads": 128, "num_key_value_heads": 128},
    "glm4v_text": {"partial_rotary_factor": 0.5},
    "glm4v_moe_text": {"partial_rotary_factor": 0.5, "head_dim": 128},
    "glm_image_text": {"partial_rotary_factor": 0.5},
    "hunyuan_vl_text": {"rope_parameters": {"rope_theta": 20_000.0, "mrope_section": [16, 16, 16, 16]}},
    "zaya": {"sliding_window": 4096, "layer_types": ["hybrid", "hybrid_sliding"] * 6},
    "zamba2": {"use_mem_rope": True, "num_hidden_layers": 54},
    "cohere_compass_text": {
        "rope_parameters": {
            "sliding_attention": {"rope_type": "default", "rope_theta": 50_000.0},
            "full_attention": None,
        },
        "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"] * 3,
    },
}


def model_types():
    """Every model type for which the installed version can build a config, sorted."""
    return sorted(CONFIG_MAPPING_NAMES)


def config_class(model_type):
    """The config class of a model type, or None if it cannot be imported."""
    try:
        return CONFIG_MAPPING[model_type]
    except Exception:
        return None


def build(cls, **keys):
    """An instance of a config class, or the exception that it raises."""
    try:
        return cls(**keys)
    except Exception as error:  # The class's own validation may raise anything.
        return error


def load(cls, record):
    """A config loaded as from a user's file (`from_dict`), or the exception that it raises."""
    try:
        return cls.from_dict(dict(record))
    except Exception as error:
        return error


def modeling_module(cls):
    """The modeling module beside a config class, or that of a class with which it shares one, or None."""
    name = cls.__module__.replace(".configuration_", ".modeling_")
    try:
        return importlib.import_module(name)
    except Exception:
        pass
    try:
        model = getattr(transformers, MODEL_MAPPING_NAMES[cls.model_type])
        return importlib.import_module(model.__module__)
    except Exception:
        return None


def takes_config(owner, cls):
    """Whether the constructor of a module is annotated with this config class, or is shared by it."""
    if not owner.__module__.startswith(cls.__module__.rpartition(".")[0]):
        return True
    try:
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
    except (TypeError, ValueError):
        return False
    if not parameters or parameters[0].name != "config":
        return False
    annotation = parameters[0].annotation
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return text in (cls.__name__, "_empty", "")


def rotary_class(cls):
    """The rotary module that takes this config: `forward(x, position_ids[, layer_type])`."""
    pattern, arguments = r"Rotary.*Embedding|RotaryEmb|RoPE", ("x", "position_ids")
    own = first_class(cls, pattern, arguments)
    # Some modules are annotated with the config of the composite or of another part, but are built with this one.
    return own or first_class(cls, pattern, arguments, exclude=r"Vision|Audio", any_config=True)


def attention_class(cls):
    """The self-attention module that takes this config."""
    return first_class(cls, r"Attention$", None, exclude=r"Cross|Vision|Audio|Linear|Mamba|DeltaNet")


def first_class(cls, pattern, arguments, exclude=None, any_config=False):
    module = modeling_module(cls)
    if module is None:
        return None
    for name, owner in vars(module).items():
        if not (inspect.isclass(owner) and owner.__module__ == module.__name__):
            continue
        if not re.search(pattern, name) or (exclude and re.search(exclude, name)):
            continue
        if not (takes_config(owner, cls) or any_config and "config" in inspect.signature(owner).parameters):
            continue
        if arguments is not None:
            taken = list(inspect.signature(owner.forward).parameters)[1:]
            if tuple(taken[: len(arguments)]) != arguments:
                continue
        return owner
    return None


def field_names(cls):
    """The names that `from_dict` passes to the class: its fields, and their aliases."""
    names = {field.name for field in dataclasses.fields(cls) if not field.name.startswith("_")}
    return names | set(getattr(cls, "attribute_map", {}) or {})


def layer_labels(config):
    """Labels of a config's rotary tables, or [None] if one table serves all layers."""
    parameters = getattr(config, "rope_parameters", None) or {}
    if not any(isinstance(value, dict) for value in parameters.values()):
        return [None]
    return [key for key, value in parameters.items() if value is None or isinstance(value, dict)]

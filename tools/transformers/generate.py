"""Writes what rope-eval knows about transformers' classes, and golden cases of their rotary modules.

    python tools/transformers/generate.py            # data and golden cases
    python tools/transformers/generate.py --check    # the same, compared with what is committed

See README.md beside this file.
"""

import argparse
import dataclasses
import json
import math
import os
import pathlib
import sys
import warnings

# Some classes iterate over sets of layer types, whose order must be the same in every run.
if os.environ.get("PYTHONHASHSEED") != "0":
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})

import transformers

from class_defaults import class_default
from golden_cases import cases
from rope_models import OTHER_MODALITY, build, config_class, field_names, model_types, rotary_class

warnings.filterwarnings("ignore")

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DATA = ROOT / "src" / "model" / "data"
GOLDEN = ROOT / "fixtures" / "golden"

# Keys under which composite configs keep their language model, as in src/model/part.ts.
PART_KEYS = ("text_config", "thinker_config", "llm_config", "language_config", "decoder", "decoder_config")

# Their positions are not those of a context: they are draft models, or decode single frames.
NOT_READ = {"EvollaModel", "blt", "idefics_perciever", "musicflamingo", "muse_glimmer_assistant"}

# These rotate by their own keys, without rope_parameters.
WITHOUT_BLOCK = {"codegen", "cohere_compass_text", "esm", "gptj", "roformer"}


def is_text(model_type):
    """Whether a model type has its own rotary module for text positions."""
    cls = config_class(model_type)
    if cls is None or model_type in NOT_READ:
        return False
    if OTHER_MODALITY.search(model_type) and not model_type.endswith("_text"):
        return False
    config = build(cls)
    if isinstance(config, Exception):
        return False
    if model_type in WITHOUT_BLOCK or not getattr(config, "rope_parameters", None):
        return model_type in WITHOUT_BLOCK
    if parts(config):
        return False
    return rotary_class(cls) is not None or model_type == "roformer"


def parts(config):
    """The language model of a composite config: its key, and its model type by default."""
    for key in PART_KEYS:
        part = vars(config).get(key)
        if hasattr(type(part), "model_type") and type(part).model_type:
            return {"key": key, "type": type(part).model_type}
    return None


def defaults(types):
    overrides = json.loads((HERE / "overrides.json").read_text())
    found = {}
    for model_type in types:
        record = class_default(model_type)
        if model_type in overrides:
            record.update(overrides[model_type][0])
            record = {key: value for key, value in record.items() if value is not None}
        if record.get("layout") == "unknown":
            sys.exit(f"{model_type}: layout not found; overrides.json must say it")
        found[model_type] = record
    unused = set(overrides) - set(types)
    if unused:
        sys.exit(f"overrides.json names types that are not read: {sorted(unused)}")
    return found


# Composite configs whose classes refuse their own defaults.
UNBUILDABLE = {"gemma4_assistant": {"key": "text_config", "type": "gemma4_text"}}


def composites():
    found = dict(UNBUILDABLE)
    for model_type in model_types():
        cls = config_class(model_type)
        config = build(cls) if cls is not None else None
        if config is None or isinstance(config, Exception):
            continue
        part = parts(config)
        if part is not None:
            found[model_type] = {**part, **other_places(cls, part["key"])}
    return found


# A number of positions that no class has by default.
PROBE = {"max_position_embeddings": 7777}


def other_places(cls, key):
    """The keys, other than its own, from which a class takes its language model."""

    def takes(given):
        config = build(cls, **given)
        if isinstance(config, Exception):
            return False
        part = vars(config).get(key)
        return getattr(part, "max_position_embeddings", None) == PROBE["max_position_embeddings"]

    also = [name for name in PART_KEYS if name != key and takes({name: dict(PROBE)})]
    return {**({"also": also} if also else {}), **({"flat": True} if takes(PROBE) else {})}


def class_fields(wanted):
    """Names that each class reads from a file, with the class's default; null if it has none."""
    shared = field_names(transformers.PreTrainedConfig)
    found = {}
    for model_type in wanted:
        cls = config_class(model_type)
        if cls is None:
            continue
        values = {field.name: plain(field) for field in dataclasses.fields(cls)}
        found[model_type] = {name: values.get(name) for name in sorted(field_names(cls) - shared)}
    return sorted(shared), found


def plain(field):
    """A field's default as JSON, or None if it is computed, missing or not a JSON value."""
    value = field.default
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float, str, list)) else None


def one_line_each(records):
    # JSON has no Infinity, but readers convert a number beyond the range of a double to it.
    lines = [
        f"    {json.dumps(key)}: {json.dumps(value)}".replace("Infinity", "1e999")
        for key, value in sorted(records.items())
    ]
    return "{\n" + ",\n".join(lines) + "\n  }"


def document(**parts_of):
    head = f'{{\n  "transformers": {json.dumps(transformers.__version__)}'
    body = [f"  {json.dumps(key)}: {text}" for key, text in parts_of.items()]
    return ",\n".join([head, *body]) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-golden", action="store_true", help="leave the golden cases as they are")
    parser.add_argument("--check", action="store_true", help="compare, write nothing, exit 1 on a difference")
    options = parser.parse_args()
    types = [model_type for model_type in model_types() if is_text(model_type)]
    found = composites()
    shared, fields = class_fields(sorted({*types, *found}))
    written = defaults(types)
    files = {
        DATA / "class-defaults.json": document(types=one_line_each(written)),
        DATA / "composites.json": document(types=one_line_each(found)),
        # json writes Infinity, which JSON parsers refuse. 1e999 becomes the same number.
        DATA / "class-fields.json": document(
            shared=json.dumps(shared), types=one_line_each(fields)
        ).replace("Infinity", "1e999"),
    }
    if not options.no_golden:
        lines = (json.dumps(case) for model_type in types for case in cases(model_type))
        files[GOLDEN / "forward.jsonl"] = "".join(f"{line}\n" for line in lines)
    different = []
    for path, text in files.items():
        if options.check:
            if not path.exists() or path.read_text() != text:
                different.append(str(path.relative_to(ROOT)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    print(f"transformers {transformers.__version__}: {len(types)} rope model types, {len(found)} composites")
    if different:
        sys.exit("differs from what is committed: " + ", ".join(different))


if __name__ == "__main__":
    main()

"""Checks transformers: the rotary modules of the model class, built from the config that emit wrote."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"

import json
import tempfile

import torch
import transformers
from transformers import AutoConfig

import transformers_rotary
from serve import serve


def build(config):
    folder = tempfile.mkdtemp()
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file)
    loaded = AutoConfig.from_pretrained(folder)
    return getattr(transformers, config["architectures"][0])(loaded)


def known(config):
    """Whether this version has the classes of the model."""
    types = [config["model_type"], config.get("text_config", {}).get("model_type")]
    return hasattr(transformers, config["architectures"][0]) and all(
        name in transformers.CONFIG_MAPPING for name in types if name is not None
    )


def run(case, found):
    if not known(case["config"]):
        found.facts["unsupported"] = True
        return
    model = build(case["config"])
    for group in case["meant"]:
        transformers_rotary.check(model, group, case["positions"], found)
    # A scaling that depends on the length has a different table for short texts.
    for group in case["meantShort"]:
        transformers_rotary.check(model, group, case["shortPositions"], found)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float32)
    with torch.no_grad():
        serve(run)

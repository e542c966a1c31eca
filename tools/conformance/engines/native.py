"""Reads the rotary modules that belong to vLLM and SGLang themselves, by rotating queries and keys."""

import re

import torch

from rotations import rows_of_rotation


def check_native(model, group, positions, found):
    """Adds the rows of the group's own rotary modules to `found`; returns whether there are any."""
    # A shared module is listed under the name of each layer.
    modules = dict(model.named_modules(remove_duplicate=False))
    seen = set()
    for name, module in modules.items():
        layer = re.search(r"layers\.(\d+)\.", name)
        if not name.endswith("rotary_emb") or not hasattr(module, "head_size"):
            continue
        if "visual" in name or "vision" in name:
            continue
        if layer is None or int(layer.group(1)) not in group["layers"]:
            continue
        scale = getattr(modules[name.rpartition(".")[0]], "scaling", None)
        if isinstance(scale, float):
            found.scale(group, scale)
        if id(module) in seen:
            continue
        seen.add(id(module))
        matrices = rotated_units(module, positions)
        found.rows(group, rows_of_rotation(matrices, group["rotaryDim"], group["layout"]))
    return bool(seen)


def rotated_units(module, positions):
    """{position: the module's results for the unit vectors}"""
    size = module.head_size
    # There is one head for each unit vector, at every position.
    units = torch.eye(size).expand(len(positions), size, size)
    forward = getattr(module, "forward_native", module.forward)
    # Classes for latent attention expect separate heads.
    if not type(module).__name__.startswith("Deepseek"):
        units = units.flatten(1)
    query, _ = forward(torch.tensor(positions), units.clone(), units.clone())
    return dict(zip(positions, query.reshape(len(positions), size, size).tolist()))

"""Rotary modules that vLLM and SGLang have of their own: they rotate queries and keys."""

import re

import torch

from rotations import rows_of_rotation


def check_native(model, group, positions, found):
    """Whether the group's layers have rotary modules of the engine's own; rows of each."""
    # A module that layers share stands under the name of each.
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
    """{position: what the module makes of each unit vector}."""
    size = module.head_size
    # One head a unit vector, at every position.
    units = torch.eye(size).expand(len(positions), size, size)
    forward = getattr(module, "forward_native", module.forward)
    # The classes for latent attention take heads apart.
    if not type(module).__name__.startswith("Deepseek"):
        units = units.flatten(1)
    query, _ = forward(torch.tensor(positions), units.clone(), units.clone())
    return dict(zip(positions, query.reshape(len(positions), size, size).tolist()))

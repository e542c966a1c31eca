"""Reads the rotary modules of transformers' models, which vLLM also runs for some models."""

import inspect

import torch


def check(model, group, positions, found):
    """Adds the rows of each rotary module that serves the group's layers."""
    for module in modules_for(model, group):
        found.rows(group, table(module, group["layerType"], positions))


def modules_for(model, group):
    rotary = [
        (name, module)
        for name, module in model.named_modules()
        if type(module).__name__.endswith("RotaryEmbedding") and not of_images(name)
    ]
    local = [module for name, module in rotary if "local" in name or "sliding" in name]
    if local:
        if group["layerType"] == "sliding_attention":
            return local
        return [module for _, module in rotary if module not in local]
    layers = [f"layers.{layer}." for layer in group["layers"]]
    own = [module for name, module in rotary if any(layer in name for layer in layers)]
    return own or [module for _, module in rotary]


def of_images(name):
    return "vision" in name or "visual" in name


def table(module, layer_type, positions):
    """{position: (cosines, sines)} from one call, whose last position decides the length."""
    takes_type = "layer_type" in inspect.signature(module.forward).parameters
    given = {"layer_type": layer_type} if takes_type else {}
    like = torch.zeros(1, len(positions), 1, dtype=torch.float32)
    cos, sin = module(like, torch.tensor([positions]), **given)
    while cos.dim() > 2:
        cos, sin = cos[0], sin[0]
    half = cos.shape[-1] // 2
    # Most classes return each frequency twice, one half after the other; gpt-oss returns it once.
    if torch.equal(cos[:, :half], cos[:, half:]):
        cos, sin = cos[:, :half], sin[:, :half]
    return {p: (c, s) for p, c, s in zip(positions, cos.tolist(), sin.tolist())}

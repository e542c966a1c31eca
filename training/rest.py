"""Initial weights with which every head rests on the first token: an experiment (docs/experiments.md).

Heads of large decoders put most of their attention on the first token of a text while nothing
matches: an attention sink (Xiao et al. 2023, arXiv:2309.17453). Gu et al. 2024 (arXiv:2410.10781)
find that it takes long training to appear; a probe model of 3000 steps never gets there. With
`train.py --rest 6` it starts there, and training decides what is kept.
"""

import math

import torch

CONSTANT, FIRST = 0, 1  # channels: the same in every token; of the first token alone
LEVEL = 3.0  # of the constant channel, where the other channels have unit scale
NORMED = 2.9  # the same after RMSNorm
KEPT = 0.8  # of the logit, averaged over the window


@torch.no_grad()
def rest_on_first(model, inv_freq, logit):
    """Changes a fresh Probe. inv_freq (D/2,) radians a token; logit: what resting is worth at half a window.

    Pairs that make at most half a turn within the window carry it: the others cannot tell the
    first token from others that stand as near. Their phase puts the maximum at half a window.
    """
    s = model.shape
    half, inner = s.head_dim // 2, s.heads * s.head_dim
    slow = [j for j, w in enumerate(inv_freq.tolist()) if w * s.window <= math.pi]
    each = math.sqrt(logit * math.sqrt(s.head_dim) / (KEPT * len(slow)))  # size of a query's and a key's pair
    embed = model.embed.weight
    embed[:, CONSTANT], embed[:, FIRST] = LEVEL, 0.0
    embed[0] = 0.0
    embed[0, FIRST] = math.sqrt(s.width)
    for block in model.blocks:
        qkv = block.qkv.weight  # (3 * H * D, width)
        qkv[:, [CONSTANT, FIRST]] = 0.0
        for head in range(0, inner, s.head_dim):
            for pair in slow:
                phase = float(inv_freq[pair]) * s.window / 2
                qkv[head + pair, CONSTANT] = each / NORMED
                qkv[inner + head + pair, FIRST] = each * math.cos(phase) / math.sqrt(s.width)
                qkv[inner + head + pair + half, FIRST] = each * math.sin(phase) / math.sqrt(s.width)

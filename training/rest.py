"""Initial weights that make every head attend to the first token: an experiment (docs/experiments.md).

While nothing matches, heads of large decoders put most of their attention on the first token of a text, an attention
sink (Xiao et al. 2023, arXiv:2309.17453). Gu et al. 2024 (arXiv:2410.10781) find that sinks take long training to
appear, and a probe model of 3000 steps has none. With `train.py --rest 6` it starts with sinks, and training decides
what remains of them.
"""

import math

import torch

CONSTANT, FIRST = 0, 1  # channels: one is the same in every token, the other belongs to the first token
LEVEL = 3.0  # of the constant channel, compared with unit scale in the others
NORMED = 2.9  # the same after RMSNorm
KEPT = 0.8  # share of the logit that remains, averaged over the window


@torch.no_grad()
def rest_on_first(model, inv_freq, logit):
    """Changes a fresh Probe. inv_freq (D/2,) radians per token; logit: of the first token at half a window.

    Only pairs that make at most half a turn within the window are used, because others cannot distinguish the first
    token from nearer ones. Their phase puts the maximum at half a window.
    """
    s = model.shape
    half, inner = s.head_dim // 2, s.heads * s.head_dim
    slow = [j for j, w in enumerate(inv_freq.tolist()) if w * s.window <= math.pi]
    each = math.sqrt(logit * math.sqrt(s.head_dim) / (KEPT * len(slow)))  # size of a pair in the query and in the key
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

"""Twins of the probe decoder: the same model with position encodings other than RoPE.

A twin has the probe's shape, initial weights, sequences and recipe. Only its position information differs from that
of the RoPE probe, so one graph serves all of them: `added` is added to the embeddings (T, width), `bias` to the
attention logits (H, T, T), and cos = 1, sin = 0.

    python train.py --encoding alibi --c 0.38 --seed 1 --steps 3000 --threads 1 --out runs/alibi-s1.pt
"""

import math

import torch
from torch import nn

from model import Probe, Shape

T5_BUCKETS, T5_MAX_DISTANCE = 32, 128  # T5's defaults (transformers' T5Config)


def distances(length):
    """-> (T, T): how many tokens the key (column) comes before the query (row); negative above the diagonal."""
    at = torch.arange(length)
    return at[:, None] - at[None, :]


def causal(bias):
    """bias (H, T, T) -> the same with -inf above the diagonal."""
    return bias.masked_fill(distances(bias.shape[-1]) < 0, -math.inf)


class NoPE(nn.Module):
    """Only the causal mask (Kazemnejad et al. 2023)."""

    def forward(self, length):
        return None, None


class Sinusoidal(nn.Module):
    """Fixed waves with interleaved sine and cosine, base 10000 (Vaswani et al. 2017, section 3.5)."""

    def __init__(self, shape):
        super().__init__()
        self.width = shape.width

    def forward(self, length):
        frequency = 10000.0 ** (-torch.arange(0, self.width, 2, dtype=torch.float64) / self.width)
        angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
        return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1).float(), None


class Learned(nn.Module):
    """One vector per position, none beyond the window (GPT-2). It starts at the scale of the token embeddings."""

    def __init__(self, shape):
        super().__init__()
        self.table = nn.Parameter(torch.randn(shape.window, shape.width))

    def forward(self, length):
        if length > len(self.table):
            raise ValueError(f"no position embedding beyond {len(self.table)} tokens; asked for {length}")
        return self.table[:length], None


def t5_bucket(distance):
    """distance (tokens back, >= 0) -> bucket: transformers' T5Attention._relative_position_bucket, causal.

    The first half of the buckets is exact, the rest logarithmic up to the maximal distance.
    """
    exact = T5_BUCKETS // 2
    far = torch.log(distance.clamp(min=1).float() / exact) / math.log(T5_MAX_DISTANCE / exact) * (T5_BUCKETS - exact)
    return torch.where(distance < exact, distance, (exact + far.long()).clamp(max=T5_BUCKETS - 1))


class T5Relative(nn.Module):
    """A learned bias for each head and bucket of distance, shared by all layers (Raffel et al. 2020, section 2.1)."""

    def __init__(self, shape):
        super().__init__()
        self.table = nn.Parameter(torch.randn(T5_BUCKETS, shape.heads) * shape.width**-0.5)  # as T5's _init_weights

    def forward(self, length):
        return None, causal(self.table[t5_bucket(distances(length).clamp(min=0))].permute(2, 0, 1))


def alibi_slopes(heads):
    """-> (H,): 2^(-8/H), 2^(-16/H), ..; the number of heads must be a power of two (Press et al. 2022, section 3)."""
    return 2.0 ** (-8 * torch.arange(1, heads + 1) / heads)


class ALiBi(nn.Module):
    """A fixed penalty on distance, with another slope in each head (Press et al. 2022)."""

    def __init__(self, shape):
        super().__init__()
        self.heads = shape.heads

    def forward(self, length):
        return None, causal(-alibi_slopes(self.heads)[:, None, None] * distances(length))


ENCODINGS = {
    "nope": lambda shape: NoPE(),
    "sinusoidal": Sinusoidal,
    "learned": Learned,
    "t5": T5Relative,
    "alibi": ALiBi,
}


class Twin(Probe):
    def __init__(self, encoding, shape=Shape()):
        super().__init__(shape)  # first, so that the shared weights start like those of the RoPE probe
        self.position = ENCODINGS[encoding](shape)

    def forward(self, tokens, cos, sin):
        """tokens (B, T) -> logits (B, T, V). Only the shape of the rotary tables is used."""
        added, bias = self.position(tokens.shape[1])
        return super().forward(tokens, torch.ones_like(cos), torch.zeros_like(sin), added, bias)


def probe(encoding, shape=Shape()):
    return Probe(shape) if encoding == "rope" else Twin(encoding, shape)

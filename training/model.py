"""The probe decoder: RMSNorm, rotary attention, SwiGLU; cos and sin are inputs.

It is small on purpose (about 0.7 M parameters), because it must run in seconds and only has to react to the rotary
geometry.
"""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Shape:
    layers: int = 4
    width: int = 128
    heads: int = 2
    head_dim: int = 64
    hidden: int = 256
    vocabulary: int = 256
    window: int = 256

    def asdict(self):
        return asdict(self)


def theta_for(c, window=256):
    """Base whose critical fraction is c: c = 1 - ln(window / 2 pi) / ln(theta)."""
    return math.exp(math.log(window / (2 * math.pi)) / (1 - c))


def inverse_frequencies(theta, head_dim, rotary_share=1.0):
    """-> (head_dim / 2,) float64, radians per token; 0 for pairs outside the rotary share."""
    rotary = 2 * round(rotary_share * head_dim / 2)
    turning = theta ** (-torch.arange(0, rotary, 2, dtype=torch.float64) / rotary)
    return F.pad(turning, (0, (head_dim - rotary) // 2))


def check_start(c, inv_freq, shape, saved):
    """Refuses a checkpoint with pairs that turned farther than in training at c, because it would hold beyond the
    window.

    inv_freq (D/2,) radians per token. A pair that completes a turn meets every angle, whatever it met before.
    """
    start = Shape(**saved.get("shape", shape.asdict()))
    was = inverse_frequencies(theta_for(saved["c"], start.window), start.head_dim, saved.get("rotaryShare", 1.0)) * start.window
    now = inv_freq * shape.window  # largest angles, radians
    pairs = ((was > now * (1 + 1e-9)) & (now > 0) & (now < 2 * math.pi)).nonzero().flatten().tolist()
    if pairs:
        raise SystemExit(f"the warm start (c {saved['c']}) has turned pairs {pairs} farther than c {c} will: start from a larger c, or from nothing")


def rotary_table(inv_freq, positions):
    """inv_freq (D/2,), positions (T,) -> cos, sin (T, D/2) float32; angles in float64."""
    angle = positions.to(torch.float64)[:, None] * inv_freq[None, :]
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    """x (B, H, T, D), cos and sin (T, D/2): half layout, as in LLaMA."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


class Block(nn.Module):
    def __init__(self, s):
        super().__init__()
        inner = s.heads * s.head_dim
        self.heads, self.head_dim = s.heads, s.head_dim
        self.norm1, self.norm2 = Norm(s.width), Norm(s.width)
        self.qkv = nn.Linear(s.width, 3 * inner, bias=False)
        self.out = nn.Linear(inner, s.width, bias=False)
        self.up = nn.Linear(s.width, 2 * s.hidden, bias=False)  # gate and value
        self.down = nn.Linear(s.hidden, s.width, bias=False)
        for linear in (self.qkv, self.up):
            nn.init.normal_(linear.weight, std=s.width**-0.5)
        for linear in (self.out, self.down):
            nn.init.normal_(linear.weight, std=linear.in_features**-0.5 * (2 * s.layers) ** -0.5)

    def forward(self, x, cos, sin, bias=None):
        b, t, _ = x.shape
        qkv = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, self.head_dim)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, H, T, D)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)  # float32 even if training autocasts
        with torch.autocast("cpu", enabled=False):  # attention in bfloat16 is slower and coarser
            y = F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=bias, is_causal=bias is None)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, -1))
        gate, value = self.up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * value)


class Probe(nn.Module):
    def __init__(self, shape=Shape()):
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocabulary, shape.width)  # With unit scale, retrieval appears sooner.
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        nn.init.normal_(self.head.weight, std=shape.width**-0.5)

    def forward(self, tokens, cos, sin, added=None, bias=None):
        """tokens (B, T) -> logits (B, T, V). The twins of twins.py pass `added` (T, width) and `bias` (H, T, T)."""
        x = self.embed(tokens)
        if added is not None:
            x = x + added
        for block in self.blocks:
            x = block(x, cos, sin, bias)
        return self.head(self.norm(x))

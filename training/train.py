"""Trains one member of the probe family.

    python train.py --c 0.38 --seed 1 --out runs/c0.38-s1.pt
    python train.py --c 0.45 --seed 1 --steps 700 --lr 1.5e-3 --init runs/c0.55-s1.pt --out runs/c0.45-warm.pt

The same command, seed and thread count give the same file. A run that was stopped resumes
from its last checkpoint.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import language
import twins
from model import Shape, check_start, inverse_frequencies, rotary_table, theta_for
from rest import rest_on_first

TOKENS_PER_STEP = 4096
CURRICULUM = ((0.2, 1 / 4), (0.4, 1 / 2), (1.0, 1))  # (until this share of the steps, length in windows)


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--c", type=float, required=True, help="critical fraction")
    p.add_argument("--encoding", choices=["rope", *twins.ENCODINGS], default="rope", help="position encoding")
    p.add_argument("--rotary-share", type=float, default=1.0, help="share of the head dimensions that rotates")
    p.add_argument("--heads", type=int, default=Shape.heads, help="heads of each layer; the twins have 4")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=2600)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--init", help="checkpoint for a warm start (no curriculum then)")
    p.add_argument("--once", type=float, default=0.25, help="share of sequences that ask for each fact once (at most 0.55)")
    p.add_argument("--rest", type=float, default=0.0, help="start with heads that rest on the first token: logits (rest.py); the shipped models do not")
    p.add_argument("--window", type=int, default=Shape.window, help="tokens; another one is an experiment (docs/experiments.md)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", required=True)
    a = p.parse_args()
    if a.rest and (a.init or a.encoding != "rope"):
        p.error("--rest changes the initial weights of a RoPE model: not with --init, not with another --encoding")
    return a


def length_at(step, steps, warm, window):
    if warm:
        return window
    return next(round(windows * window) for share, windows in CURRICULUM if step < share * steps)


def copy_share(step, steps, warm):
    return 0.6 if not warm and step < 0.3 * steps else 0.2


def learning_rate(step, steps, peak, warmup=50):
    return peak * min(1.0, (step + 1) / warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def step_loss(model, tokens, weights, cos, sin):
    """-> weighted mean loss; mean loss of answers and of language; accuracy of answers."""
    logits = model(tokens[:, :-1], cos, sin).flatten(0, 1).float()
    target, weight = tokens[:, 1:].flatten(), weights[:, 1:].flatten()
    nll = F.cross_entropy(logits, target, reduction="none")
    answer, text = weight == 1.0, (weight > 0) & (weight < 1)
    right = (logits.argmax(-1) == target)[answer]
    return (nll * weight).sum() / weight.sum(), nll[answer].mean(), nll[text].mean(), right.float().mean()


def main():
    a = arguments()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = random.Random(a.seed)
    table, shape = language.tables(), Shape(window=a.window, heads=a.heads)
    model = twins.probe(a.encoding, shape)
    inv_freq = inverse_frequencies(theta_for(a.c, shape.window), shape.head_dim, a.rotary_share)
    if a.init:
        saved = torch.load(a.init, weights_only=False)
        if a.encoding == "rope":
            check_start(a.c, inv_freq, shape, saved)
        # A twin's own table is not among the weights of the RoPE model, so it keeps its initial values.
        model.load_state_dict(model.state_dict() | saved["model"])
    elif a.rest:
        rest_on_first(model, inv_freq, a.rest)
    optimizer = torch.optim.AdamW(model.parameters(), lr=a.lr, betas=(0.9, 0.95), weight_decay=0.05)
    out, curve, start = Path(a.out), [], 0
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_suffix(".part")
    if part.exists():
        saved = torch.load(part, weights_only=False)
        if saved["arguments"] != vars(a):
            raise SystemExit(f"{part} is of a run with other arguments: {saved['arguments']}; remove it, or give them again")
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        rng.setstate(saved["rng"])
        curve, start = saved["curve"], saved["step"]
    began, since = time.time(), []
    for step in range(start, a.steps):
        length = length_at(step, a.steps, a.init, shape.window)
        data = language.batch(rng, table, TOKENS_PER_STEP // length, length + 1, copy_share(step, a.steps, a.init), a.once)
        tokens, weights = torch.tensor(data[0]), torch.tensor(data[1])
        cos, sin = rotary_table(inv_freq, torch.arange(length))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, a.steps, a.lr)
        with torch.autocast("cpu", dtype=torch.bfloat16):  # only for matrix products: see Block
            values = step_loss(model, tokens, weights, cos, sin)
        optimizer.zero_grad(set_to_none=True)
        values[0].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        since.append([float(v) for v in values])
        if (step + 1) % 50 == 0:
            # A step with few sequences may ask for no facts.
            point = [round(torch.tensor(column).nanmean().item(), 4) for column in zip(*since)]
            curve.append({"step": step + 1, "length": length, "loss": point[0], "answerLoss": point[1],
                          "languageLoss": point[2], "answerAccuracy": point[3]})
            print(json.dumps(curve[-1]), f"{time.time() - began:.0f}s", flush=True)
            since = []
        if (step + 1) % 200 == 0:
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": rng.getstate(),
                        "curve": curve, "step": step + 1, "arguments": vars(a)}, part)
    torch.save({"model": model.state_dict(), "shape": shape.asdict(), "c": a.c, "rotaryShare": a.rotary_share, "encoding": a.encoding, "seed": a.seed, "steps": a.steps,
                "learningRate": a.lr, "init": Path(a.init).stem if a.init else None, "curve": curve}, out)
    part.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

"""A decoder trained on real text, to judge the probe models by: documentation, in English, of Python projects.

    pip download --no-deps --no-binary :all: --dest sdists PACKAGE==VERSION ...     # PACKAGES below
    python real_text.py corpus --sdists sdists --out runs/corpus.pt        # tokenizer, training and held-out tokens
    python real_text.py train --corpus runs/corpus.pt --out runs/real-text.pt
    python real_text.py train --corpus runs/corpus.pt --init runs/real-text.pt --c 0.22 --steps 400 --lr 1e-3 --out runs/real-text-c0.22.pt
    python real_text.py train --corpus runs/corpus.pt --init runs/real-text.pt --c 0.30 --steps 1000 --lr 1.5e-3 --out runs/real-text-c0.30.pt
    python real_text.py train --corpus runs/corpus.pt --c 0.45 --steps 1500 --out runs/real-text-c0.45.pt
    python real_text.py train --corpus runs/corpus.pt --c 0.22 --steps 1800 --out runs/real-text-c0.22-from-nothing.pt
    python real_text.py train --corpus runs/corpus.pt --c 0.10 --steps 1800 --out runs/real-text-c0.10.pt
    python real_text.py train --corpus runs/corpus.pt --c 0.05 --seed 2 --steps 1800 --out runs/real-text-c0.05.pt
    python real_text.py train --corpus runs/corpus.pt --c 0.38 --rotary-share 0.25 --steps 1800 --out runs/real-text-c0.38-r0.25.pt
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text.pt --id real-text-c0.38 --out runs/c0.38.json
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text-c0.30.pt --id real-text-c0.30 --out runs/c0.30.json
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text-c0.22.pt --id real-text-c0.22 --out runs/c0.22.json
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text-c0.45.pt --id real-text-c0.45 --out runs/c0.45.json
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text-c0.22-from-nothing.pt --id real-text-c0.22-from-nothing --out runs/c0.22n.json
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text-c0.10.pt --id real-text-c0.10 --out runs/c0.10.json
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text-c0.05.pt --id real-text-c0.05 --out runs/c0.05.json
    python real_text.py measure --corpus runs/corpus.pt --model runs/real-text-c0.38-r0.25.pt --id real-text-c0.38-r0.25 --out runs/c0.38r.json

The eight tables in one list are fixtures/measured/real-text.json.

The probe language has no part in it. What was decided with its figures in sight stands in docs/validation.md,
"Real text": `npm run validate -- --results` reads them as it reads a published table.
"""

import argparse
import json
import math
import random
import tarfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from model import Probe, Shape, check_start, inverse_frequencies, rotary_table, theta_for
from train import learning_rate

PACKAGES = ("Django==5.1.4", "SQLAlchemy==2.0.36", "scikit-learn==1.5.2", "sympy==1.13.3", "ansible==2.9.27",
            "Sphinx==8.1.3", "Twisted==24.10.0")  # their source packages hold their documentation
SHAPE = Shape(layers=4, width=192, heads=4, head_dim=64, hidden=512, vocabulary=2048, window=512)
BOS = 0
TOKENS_PER_STEP = 8192
LONGEST = 8  # windows
TARGETS = 256  # tokens at the end of a context whose loss counts


def documents(folder):
    """-> sorted [(name, text)]: reStructuredText and text files in the doc folders of source packages."""
    found = []
    for path in sorted(Path(folder).glob("*.tar.gz")):
        with tarfile.open(path) as package:
            for member in package.getmembers():
                parts = Path(member.name).parts
                if member.isfile() and {"doc", "docs"} & set(parts) and member.name.endswith((".rst", ".txt")):
                    text = package.extractfile(member).read().decode("utf-8", "replace")
                    if len(text) > 400:
                        found.append((member.name, text))
    return sorted(found)


def make_corpus(a):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    found = documents(a.sdists)
    random.Random(a.seed).shuffle(found)
    count = len(found) // 12
    held, train = found[:count], found[count:]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=SHAPE.vocabulary, special_tokens=["<bos>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator((text for _, text in train), trainer)
    encode = lambda pairs: [torch.tensor(e.ids, dtype=torch.int16) for e in tokenizer.encode_batch([t for _, t in pairs])]
    joined = [torch.cat((torch.tensor([BOS], dtype=torch.int16), d)) for d in encode(train)]
    torch.save({"train": torch.cat(joined), "held": encode(held), "names": [n for n, _ in held]}, a.out)
    print(len(train), "documents,", sum(map(len, joined)), "tokens; held out", len(held))


def train(a):
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    tokens, model = torch.load(a.corpus)["train"], Probe(SHAPE)
    inv_freq = inverse_frequencies(theta_for(a.c, SHAPE.window), SHAPE.head_dim, a.rotary_share)
    if a.init:
        saved = torch.load(a.init)
        check_start(a.c, inv_freq, SHAPE, saved)
        model.load_state_dict(saved["model"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=a.lr, betas=(0.9, 0.95), weight_decay=0.1)
    part, start = Path(a.out).with_suffix(".part"), 0
    if part.exists():
        saved = torch.load(part)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        start = saved["step"]
    began, total = time.time(), 0.0
    for step in range(start, a.steps):
        length = 128 if not a.init and step < 0.2 * a.steps else SHAPE.window  # what is near is learnt first
        generator = torch.Generator().manual_seed(a.seed * 1_000_003 + step)
        starts = torch.randint(len(tokens) - length, (TOKENS_PER_STEP // length, 1), generator=generator)
        batch = tokens[starts + torch.arange(length)].long()
        inputs = torch.cat((torch.full_like(batch[:, :1], BOS), batch[:, :-1]), 1)
        cos, sin = rotary_table(inv_freq, torch.arange(length))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, a.steps, a.lr, warmup=100)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(inputs, cos, sin)
        loss = F.cross_entropy(logits.flatten(0, 1).float(), batch.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        if (step + 1) % 50 == 0:
            print(json.dumps({"step": step + 1, "length": length, "loss": round(total / 50, 4)}), f"{time.time() - began:.0f}s", flush=True)
            total = 0.0
        if (step + 1) % 200 == 0:
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}, part)
    torch.save({"model": model.state_dict(), "c": a.c, "rotaryShare": a.rotary_share}, a.out)
    part.unlink(missing_ok=True)


def scaled(kind, factor, inv_freq, theta, window):
    """inv_freq (R/2,) of what rotates -> inverse frequencies (R/2,), attention scaling. As transformers computes them (modeling_rope_utils)."""
    count = len(inv_freq)
    dim = 2 * count
    if kind == "none":
        return inv_freq, 1.0
    if kind == "linear":
        return inv_freq / factor, 1.0
    if kind == "ntk":
        return inverse_frequencies(theta * factor ** (dim / (dim - 2)), dim), 1.0
    turns = window * inv_freq / (2 * math.pi)
    if kind == "llama3":
        share = ((turns - 1) / (4 - 1)).clamp(0, 1)  # low and high frequency factor 1 and 4
        return (1 - share) * inv_freq / factor + share * inv_freq, 1.0
    pair = lambda rotations: dim * math.log(window / (rotations * 2 * math.pi)) / (2 * math.log(theta))
    low, high = max(math.floor(pair(32)), 0), min(math.ceil(pair(1)), dim - 1)
    share = ((torch.arange(count, dtype=torch.float64) - low) / max(high - low, 0.001)).clamp(0, 1)
    return share * inv_freq / factor + (1 - share) * inv_freq, 0.1 * math.log(factor) + 1 if kind == "yarn" else 1.0


SCALINGS = [("none", 1)] + [(kind, factor) for factor in (2, 4, 8) for kind in ("linear", "ntk", "by-parts", "yarn", "llama3")]


@torch.inference_mode()
def mean_loss(model, contexts, cos, sin):
    """Mean loss of the last TARGETS tokens of contexts (N, L + 1), nats."""
    total = 0.0
    for some in contexts.split(max(1, 16384 // contexts.shape[1])):
        logits = model(some[:, :-1], cos, sin)[:, -TARGETS:]
        total += F.cross_entropy(logits.flatten(0, 1), some[:, -TARGETS:].flatten(), reduction="sum").item()
    return total / (len(contexts) * TARGETS)


def measure(a):
    torch.set_num_threads(a.threads)
    saved, held = torch.load(a.model), torch.load(a.corpus)["held"]
    model, window, theta = Probe(SHAPE), SHAPE.window, theta_for(saved["c"], SHAPE.window)
    model.load_state_dict(saved["model"])
    share = saved.get("rotaryShare", 1.0)
    rotary = 2 * round(share * SHAPE.head_dim / 2)
    inv_freq = inverse_frequencies(theta, rotary)
    stands = (SHAPE.head_dim - rotary) // 2  # pairs
    end = LONGEST * window
    long_enough = [d[:end].long() for d in held if len(d) >= end]
    rows = []
    for windows in (1, 2, 4, LONGEST):
        length = windows * window
        # Whatever the length, the same tokens are predicted; what stands before them grows.
        contexts = torch.stack([torch.cat((torch.tensor([BOS]), d[end - length :])) for d in long_enough])
        for kind, factor in SCALINGS:
            table, attention = scaled(kind, factor, inv_freq, theta, window)
            cos, sin = rotary_table(table, torch.arange(length))
            # The attention scaling multiplies what rotates alone.
            cos, sin = F.pad(cos * attention, (0, stands), value=1.0), F.pad(sin * attention, (0, stands))
            loss = mean_loss(model, contexts, cos, sin)
            print(f"{kind}:{factor} at {windows}x: {loss:.4f}", flush=True)
            params = {} if kind == "none" else {"factor": factor}
            rows.append({"method": kind, "params": params, "eval_length": length, "value": round(loss, 4)})
            if (kind, factor) == ("ntk", windows):  # what dynamic NTK with F = 1 is at this length
                rows.append(rows[-1] | {"method": "dynamic", "params": {"factor": 1}})
    print(len(long_enough), "contexts")
    Path(a.out).write_text(json.dumps([{
        "id": a.id,
        "source": {"title": "rope-eval, training/real_text.py", "year": 2026},
        "model": {"name": "4 layers, width 192, trained on documentation of Python projects", "head_dim": SHAPE.head_dim, "rope_theta": theta, **({} if share == 1 else {"partial_rotary_factor": share}), "trained_context": window},
        "finetuned": False, "metric": "loss", "rows": rows,
    }], indent=1) + "\n")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["corpus", "train", "measure"])
    p.add_argument("--sdists")
    p.add_argument("--corpus")
    p.add_argument("--model")
    p.add_argument("--id", default="real-text")
    p.add_argument("--init", help="checkpoint for a warm start, with another --c")
    p.add_argument("--out", required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=3000)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--c", type=float, default=0.38)
    p.add_argument("--rotary-share", type=float, default=1.0, help="share of the head dimensions that rotates")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    {"corpus": make_corpus, "train": train, "measure": measure}[a.what](a)

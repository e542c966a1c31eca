"""Trains decoders on real text, to judge the probe models by: English documentation of Python projects.

    pip download --no-deps --no-binary :all: --dest sdists PACKAGE==VERSION ...     # PACKAGES below
    python real_text.py corpus --sdists sdists --out runs/corpus.pt     # tokenizer, training and held-out tokens
    python real_text.py decoder NAME --corpus runs/corpus.pt            # one of DECODERS: trains it, then measures it
    python real_text.py collect                                         # the tables that are there → fixtures/measured/real-text.json

The same name, seed and one thread give the same decoder. A run that was stopped resumes from its last checkpoint.
The probe language is not used. docs/experiments.md lists the decisions that were made after these figures were known;
`npm run validate -- --results` reads the tables like a published one.
"""

import argparse
import json
import math
import random
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "training"))
from model import Probe, Shape, check_start, inverse_frequencies, rotary_table, theta_for  # noqa: E402
from train import learning_rate  # noqa: E402

PACKAGES = ("Django==5.1.4", "SQLAlchemy==2.0.36", "scikit-learn==1.5.2", "sympy==1.13.3", "ansible==2.9.27",
            "Sphinx==8.1.3", "Twisted==24.10.0")  # their source packages hold their documentation
SHAPE = Shape(layers=4, width=192, heads=4, head_dim=64, hidden=512, vocabulary=2048, window=512)
BOS = 0
TOKENS_PER_STEP = 8192
LONGEST = 8  # windows
CAPABILITIES = torch.cpu.get_capabilities()
# A processor without these instructions emulates bfloat16 at a third of the speed of float32.
FAST_BFLOAT16 = bool(CAPABILITIES.get("avx512_bf16") or CAPABILITIES.get("amx_bf16"))
DOCUMENTS = 40  # the most that are held out
TARGETS = 256  # tokens at the end of a context whose loss counts, at most half of a window


@dataclass(frozen=True)
class Decoder:
    """The recipe of one decoder."""

    c: float  # critical fraction
    steps: int
    seed: int = 1
    rotary_share: float = 1.0
    lr: float = 2e-3
    init: str | None = None  # the decoder that training starts from


# In the order of the fixture.
DECODERS = {
    "real-text-c0.38": Decoder(0.38, 3000),
    "real-text-c0.22": Decoder(0.22, 400, lr=1e-3, init="real-text-c0.38"),
    "real-text-c0.45": Decoder(0.45, 1500),
    "real-text-c0.30": Decoder(0.30, 1000, lr=1.5e-3, init="real-text-c0.38"),
    "real-text-c0.22-from-nothing": Decoder(0.22, 1800),
    "real-text-c0.10": Decoder(0.10, 1800),
    "real-text-c0.05": Decoder(0.05, 1800, seed=2),
    "real-text-c0.38-r0.25": Decoder(0.38, 1800, rotary_share=0.25),
    # Declared, trained and measured before any probe was asked about them.
    "real-text-c0.15-r0.5": Decoder(0.15, 1800, seed=3, rotary_share=0.5),
    "real-text-c0.55": Decoder(0.55, 1800, seed=4),
}


def documents(folder):
    """-> sorted [(name, text)]: reStructuredText and text files in the documentation folders of source packages."""
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
    Path(a.out).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"train": torch.cat(joined), "held": encode(held), "names": [n for n, _ in held]}, a.out)
    print(len(train), "documents,", sum(map(len, joined)), "tokens; held out", len(held))


def train(decoder, corpus, out, threads):
    """Trains a decoder, or resumes an earlier run, and writes its checkpoint to `out`."""
    torch.set_num_threads(threads)
    torch.manual_seed(decoder.seed)
    shape = SHAPE
    tokens, model = torch.load(corpus)["train"], Probe(shape)
    inv_freq = inverse_frequencies(theta_for(decoder.c, shape.window), shape.head_dim, decoder.rotary_share)
    if decoder.init:
        saved = torch.load(checkpoint(out.parent, decoder.init))
        check_start(decoder.c, inv_freq, shape, saved)
        model.load_state_dict(saved["model"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=decoder.lr, betas=(0.9, 0.95), weight_decay=0.1)
    part, start = out.with_suffix(".part"), 0
    if part.exists():
        saved = torch.load(part)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        start = saved["step"]
    began, total = time.time(), 0.0
    for step in range(start, decoder.steps):
        length = 128 if not decoder.init and step < 0.2 * decoder.steps else shape.window  # Near tokens are learnt first.
        generator = torch.Generator().manual_seed(decoder.seed * 1_000_003 + step)
        starts = torch.randint(len(tokens) - length, (TOKENS_PER_STEP // length, 1), generator=generator)
        batch = tokens[starts + torch.arange(length)].long()
        inputs = torch.cat((torch.full_like(batch[:, :1], BOS), batch[:, :-1]), 1)
        cos, sin = rotary_table(inv_freq, torch.arange(length))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, decoder.steps, decoder.lr, warmup=100)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=FAST_BFLOAT16):
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
    torch.save({"model": model.state_dict(), "c": decoder.c, "rotaryShare": decoder.rotary_share, "shape": shape.asdict()}, out)
    part.unlink(missing_ok=True)


def scaled(kind, factor, inv_freq, theta, window):
    """inv_freq (R/2,) of the rotating pairs -> inverse frequencies (R/2,) and attention scaling, as transformers
    computes them (modeling_rope_utils)."""
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
def mean_loss(model, contexts, cos, sin, targets):
    """Mean loss of the last `targets` tokens of contexts (N, L + 1), nats."""
    total = 0.0
    for some in contexts.split(max(1, 16384 // contexts.shape[1])):
        logits = model(some[:, :-1], cos, sin)[:, -targets:]
        total += F.cross_entropy(logits.flatten(0, 1), some[:, -targets:].flatten(), reduction="sum").item()
    return total / (len(contexts) * targets)


def measure(name, model_file, corpus, threads):
    """-> the decoder's table as a results file: loss of the same tokens at 1x, 2x, 4x and 8x under every scaling."""
    torch.set_num_threads(threads)
    saved, held = torch.load(model_file), torch.load(corpus)["held"]
    shape = Shape(**saved.get("shape", SHAPE.asdict()))
    model, window, theta = Probe(shape), shape.window, theta_for(saved["c"], shape.window)
    model.load_state_dict(saved["model"])
    share = saved.get("rotaryShare", 1.0)
    rotary = 2 * round(share * shape.head_dim / 2)
    inv_freq = inverse_frequencies(theta, rotary)
    stands = (shape.head_dim - rotary) // 2  # pairs
    end = LONGEST * window
    long_enough = [d[:end].long() for d in held if len(d) >= end][:DOCUMENTS]
    rows = []
    for windows in (1, 2, 4, LONGEST):
        length = windows * window
        # The predicted tokens are the same at every length; only the text before them grows.
        contexts = torch.stack([torch.cat((torch.tensor([BOS]), d[end - length :])) for d in long_enough])
        for kind, factor in SCALINGS:
            table, attention = scaled(kind, factor, inv_freq, theta, window)
            cos, sin = rotary_table(table, torch.arange(length))
            # The attention scaling only multiplies the rotating pairs.
            cos, sin = F.pad(cos * attention, (0, stands), value=1.0), F.pad(sin * attention, (0, stands))
            loss = mean_loss(model, contexts, cos, sin, min(TARGETS, window // 2))
            print(f"{kind}:{factor} at {windows}x: {loss:.4f}", flush=True)
            params = {} if kind == "none" else {"factor": factor}
            rows.append({"method": kind, "params": params, "eval_length": length, "value": round(loss, 4)})
            if (kind, factor) == ("ntk", windows):  # dynamic NTK with F = 1 at this length
                rows.append(rows[-1] | {"method": "dynamic", "params": {"factor": 1}})
    print(len(long_enough), "contexts")
    return {
        "id": name,
        "source": {"title": "rope-eval, tools/real-text/real_text.py", "year": 2026},
        "model": {"name": f"{shape.layers} layers, width {shape.width}, trained on documentation of Python projects", "head_dim": shape.head_dim, "rope_theta": theta, **({} if share == 1 else {"partial_rotary_factor": share}), "trained_context": window},
        "finetuned": False, "metric": "loss", "rows": rows,
    }


def checkpoint(runs, name):
    return Path(runs) / f"{name}.pt"


def make_decoder(a):
    """Trains a decoder if its checkpoint is missing, and measures it. The decoder that it starts from must exist."""
    decoder, out = DECODERS[a.name], checkpoint(a.runs, a.name)
    if decoder.init and not checkpoint(a.runs, decoder.init).exists():
        raise SystemExit(f"{a.name} starts from {decoder.init}: make that one first")
    out.parent.mkdir(parents=True, exist_ok=True)
    if not out.exists():
        train(decoder, a.corpus, out, a.threads)
    table = measure(a.name, out, a.corpus, a.threads)
    out.with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n")


def collect(a):
    """Puts the tables of all decoders into the fixture. Those that were not measured here stay unchanged."""
    fixture = ROOT / "fixtures/measured/real-text.json"
    known = {table["id"]: table for table in json.loads(fixture.read_text())}
    for name in DECODERS:
        path = checkpoint(a.runs, name).with_suffix(".json")
        if path.exists():
            known[name] = json.loads(path.read_text())
    tables = [table_text(known[name]) for name in DECODERS if name in known]
    fixture.write_text("[\n" + ",\n".join(tables) + "\n]\n")


def table_text(table):
    """A table as JSON with one row a line, so that a new table changes no other line of the fixture."""
    rows = ",\n".join("  " + json.dumps(row) for row in table["rows"])
    return json.dumps({**table, "rows": []}, indent=1).replace('"rows": []', f'"rows": [\n{rows}\n ]')


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(required=True)
    corpus = commands.add_parser("corpus")
    corpus.add_argument("--sdists", required=True)
    corpus.add_argument("--out", required=True)
    corpus.add_argument("--seed", type=int, default=1)
    corpus.set_defaults(do=make_corpus)
    decoder = commands.add_parser("decoder")
    decoder.add_argument("name", choices=DECODERS)
    decoder.add_argument("--corpus", required=True)
    decoder.add_argument("--runs", default=str(HERE / "runs"))
    decoder.add_argument("--threads", type=int, default=1)
    decoder.set_defaults(do=make_decoder)
    tables = commands.add_parser("collect")
    tables.add_argument("--runs", default=str(HERE / "runs"))
    tables.set_defaults(do=collect)
    a = p.parse_args()
    a.do(a)

"""Checks that `--model` gives the same results for exports as PyTorch for the weights, for scalings in a config.

    python3 tools/real-model/export.py /tmp/smollm2
    npm run build && /tmp/smollm2/venv/bin/python tools/real-model/agreement.py /tmp/smollm2 [--tokens 2048] [NAME ...]

transformers receives the scalings as blocks of its config, and rope-eval as config.json files with these blocks. The
last 256 tokens of a stretch of the package's texts are scored. For each export, the output shows the largest
difference of a log-probability and the difference of the mean loss from PyTorch's in float32, and the scalings in the
order of their loss, best first.
"""
import argparse
import json
import subprocess
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).resolve().parent
SCORED = 256
NAMES = ("genai-fp32", "genai-fp16", "genai-int4", "torch-fp32", "torch-fp16", "torch-int4", "dynamo-fp32")


def scalings(window, theta, head):
    block = lambda kind, **more: {"rope_type": kind, "rope_theta": theta, **more}
    return {
        "none": block("default"),
        "linear:2": block("linear", factor=2.0),
        "yarn:2": block("yarn", factor=2.0, original_max_position_embeddings=window),
        "llama3:2": block("llama3", factor=2.0, low_freq_factor=1.0, high_freq_factor=4.0,
                          original_max_position_embeddings=window),
        "theta x 2": {"rope_type": "default", "rope_theta": theta * 2.0 ** (head / (head - 2))},
    }


def by_torch(folder, config, tokens, threads):
    torch.set_num_threads(threads)
    model = LlamaForCausalLM.from_pretrained(folder, config=LlamaConfig(**config), attn_implementation="sdpa",
                                             dtype=torch.float32).eval()
    ids = torch.tensor([tokens])
    with torch.inference_mode():
        logits = model(ids, use_cache=False, logits_to_keep=SCORED + 1).logits[0, :-1]
    return torch.gather(logits.log_softmax(-1), 1, ids[0, -SCORED:, None])[:, 0]


def by_rope_eval(export, configs, tokens, threads):
    asked = {"export": str(export), "configs": {name: json.dumps(c) for name, c in configs.items()},
             "tokens": tokens, "scored": SCORED, "threads": threads}
    answer = subprocess.run(["node", HERE / "score.js"], input=json.dumps(asked), capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(answer.stderr)
    return json.loads(answer.stdout)


def order(losses):
    return " < ".join(sorted(losses, key=losses.get))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scalings", help="of them, with commas between; default: all")
    args = parser.parse_args()
    config = json.loads((args.folder / "hf" / "config.json").read_text())
    window, head = config["max_position_embeddings"], config["head_dim"]
    blocks = scalings(window, config["rope_theta"], head)
    chosen = args.scalings.split(",") if args.scalings else list(blocks)
    del config["rope_theta"]
    configs = {name: {**config, "rope_parameters": blocks[name]} for name in chosen}
    text = "\n".join(path.read_text() for path in sorted((HERE.parents[1] / "texts").glob("*.txt")))
    tokens = AutoTokenizer.from_pretrained(args.folder / "hf")(text)["input_ids"][: args.tokens]
    if len(tokens) < args.tokens:
        raise SystemExit(f"the texts have {len(tokens)} tokens")
    wanted = {name: by_torch(args.folder / "hf", c, tokens, args.threads) for name, c in configs.items()}
    losses = {name: -w.mean().item() for name, w in wanted.items()}
    print(f"{args.tokens} tokens; loss by PyTorch: " + ", ".join(f"{n} {loss:.4f}" for n, loss in losses.items()))
    print(f"{'PyTorch':12}{'':44}{order(losses)}", flush=True)
    for name in args.names or NAMES:
        if not (args.folder / name).exists():
            continue
        told = by_rope_eval(args.folder / name / "model.onnx", configs, tokens, args.threads)
        found = {n: torch.tensor(values) for n, values in told["answers"].items()}
        worst = max((found[n] - wanted[n]).abs().max().item() for n in chosen)
        off = max(abs(-found[n].mean().item() - losses[n]) for n in chosen)
        # A precision shifts all losses alike, but the cost of a scaling is a difference of two.
        base = chosen[0]
        cost = max(abs((-found[n] + found[base]).mean().item() - losses[n] + losses[base]) for n in chosen)
        print(f"{name:12}largest {worst:.1e}, loss {off:.1e}, cost {cost:.1e}   "
              f"{order({n: -f.mean().item() for n, f in found.items()})}", flush=True)


if __name__ == "__main__":
    main()

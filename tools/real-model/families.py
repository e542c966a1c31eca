"""Exports tiny random models of many families with each exporter, and asks them with `--model`.

    python3 tools/real-model/export.py /tmp/smollm2 hf
    npm run build && /tmp/smollm2/venv/bin/python tools/real-model/families.py /tmp/smollm2 [FAMILY or FAMILY/EXPORTER ...]

Prints one line for each family and exporter: the largest difference in log-probability between rope-eval and
transformers on the same tokens, for the model's own table and for one with another theta, and that of the export as it
was written; or the reason why the exporter or rope-eval refused. Each export is also asked with the command line, for
which exit code 0 is expected. What has been exported stays in FOLDER/families. Float16 and 4-bit run if named
(genai-fp16, genai-int4).
"""
import argparse
import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import transformers

HERE = Path(__file__).resolve().parent
CLI = HERE.parents[1] / "bin" / "rope-eval.js"
WINDOW, TOKENS, SCORED = 512, 384, 128
BASE = {
    "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": WINDOW, "initializer_range": 0.12, "tie_word_embeddings": False,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}
THETA = 10000.0
YARN = {"rope_type": "yarn", "rope_theta": THETA, "factor": 2.0, "original_max_position_embeddings": WINDOW // 2,
        "beta_fast": 32.0, "beta_slow": 1.0}
LLAMA3 = {"rope_type": "llama3", "rope_theta": THETA, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": WINDOW // 2}
SPREAD = [1.0 + 0.1 * i for i in range(16)]
LONGROPE = {"rope_type": "longrope", "rope_theta": THETA, "short_factor": [1.0] * 16, "long_factor": SPREAD,
            "original_max_position_embeddings": WINDOW // 2}
SLIDING = {"sliding_window": 96, "layer_types": ["sliding_attention", "full_attention"]}
TWO = {"sliding_attention": {"rope_type": "default", "rope_theta": 1000.0},
       "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 2.0}}
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
# The model class of transformers, without ForCausalLM, and what differs from BASE.
FAMILIES = {
    "llama": ("Llama", {}),
    "llama, llama3 scaling": ("Llama", {"rope_parameters": LLAMA3}),
    "llama, yarn": ("Llama", {"rope_parameters": YARN}),
    "qwen2": ("Qwen2", {}),
    "qwen3": ("Qwen3", {"head_dim": 64}),
    "qwen3_moe": ("Qwen3Moe", {"head_dim": 32, **EXPERTS}),
    "mistral": ("Mistral", {"sliding_window": 320}),
    "ministral3": ("Ministral3", {"head_dim": 32, "rope_parameters": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0,
                                  "llama_4_scaling_beta": 0.1}}),
    "mixtral": ("Mixtral", EXPERTS),
    "gemma": ("Gemma", {"head_dim": 32}),
    "gemma2": ("Gemma2", {"head_dim": 32, "query_pre_attn_scalar": 32, **SLIDING}),
    "gemma3_text": ("Gemma3Text", {"head_dim": 32, "query_pre_attn_scalar": 32, "rope_parameters": TWO, **SLIDING}),
    "phi3": ("Phi3", {"original_max_position_embeddings": WINDOW}),
    "phi3, longrope": ("Phi3", {"rope_parameters": LONGROPE, "original_max_position_embeddings": WINDOW // 2}),
    "phimoe": ("Phimoe", EXPERTS),
    "phi": ("Phi", {"partial_rotary_factor": 0.5, "num_key_value_heads": 4}),
    "olmo": ("Olmo", {}),
    "olmo2": ("Olmo2", {}),
    "olmo3": ("Olmo3", {"rope_parameters": YARN, **SLIDING}),
    "granite": ("Granite", {"attention_multiplier": 0.17}),
    "glm": ("Glm", {"head_dim": 32}),
    "glm4": ("Glm4", {"head_dim": 32, "partial_rotary_factor": 0.5}),
    "gpt_oss": ("GptOss", {"head_dim": 32, "rope_parameters": {**YARN, "truncate": False}, **SLIDING, **EXPERTS}),
    "smollm3": ("SmolLM3", {"num_hidden_layers": 4, "no_rope_layers": [1, 1, 1, 0]}),
    "cohere": ("Cohere", {}),
    "cohere2": ("Cohere2", {**SLIDING, "sliding_window": 320}),
    "nemotron": ("Nemotron", {"partial_rotary_factor": 0.5}),
    "stablelm": ("StableLm", {"partial_rotary_factor": 0.25}),
    "starcoder2": ("Starcoder2", {}),
    "gpt_neox": ("GPTNeoX", {"rotary_pct": 0.25, "num_key_value_heads": 4}),
    "gptj": ("GPTJ", {"n_embd": 128, "n_layer": 2, "n_head": 4, "rotary_dim": 16, "n_positions": WINDOW, "num_key_value_heads": 4}),
    "falcon": ("Falcon", {"alibi": False}),
    "deepseek_v3": ("DeepseekV3", {"num_key_value_heads": 4, "kv_lora_rank": 32, "q_lora_rank": 64, "qk_rope_head_dim": 16,
                    "qk_nope_head_dim": 32, "v_head_dim": 32, "n_routed_experts": 4, "n_group": 1, "topk_group": 1,
                    "num_experts_per_tok": 2, "moe_intermediate_size": 64, "first_k_dense_replace": 1}),
    "exaone4": ("Exaone4", {"sliding_window_pattern": 2, **SLIDING, "sliding_window": 320}),
    "ernie4_5": ("Ernie4_5", {"head_dim": 32}),
    "hunyuan_v1_dense": ("HunYuanDenseV1", {"head_dim": 32}),
    "arcee": ("Arcee", {}),
    "helium": ("Helium", {"head_dim": 32}),
}


def hf(family, folder, tokenizer):
    name, more = FAMILIES[family]
    vocabulary = json.loads((tokenizer / "config.json").read_text())["vocab_size"]
    settings = {**BASE, "vocab_size": vocabulary, **more}
    config_class = getattr(transformers, f"{name}Config")
    model = getattr(transformers, f"{name.removesuffix('Text')}ForCausalLM")
    torch.manual_seed(1)
    config = config_class(**copy.deepcopy(settings))
    config.dtype = "float32"
    model(config).float().save_pretrained(folder)
    saved = json.loads((folder / "config.json").read_text())
    # transformers 4, which optimum wants, does not read rope_parameters.
    block = saved.get("rope_parameters") or {}
    if "rope_theta" in block:
        saved["rope_theta"] = block["rope_theta"]
        scaling = {k: v for k, v in block.items() if k not in ("rope_theta", "partial_rotary_factor")}
        if block["rope_type"] == "longrope":  # Published configs have these three keys, and exporters read no others.
            scaling = {"type": "longrope", **{k: block[k] for k in ("short_factor", "long_factor")}}
            del saved["rope_parameters"]
        if block["rope_type"] != "default":
            saved["rope_scaling"] = scaling
    elif block:
        saved["rope_theta"] = block["full_attention"]["rope_theta"]
        saved["rope_local_base_freq"] = block["sliding_attention"]["rope_theta"]
        saved["rope_scaling"] = {"rope_type": "linear", "factor": block["full_attention"]["factor"]}
    (folder / "config.json").write_text(json.dumps(saved, indent=2) + "\n")
    beside(tokenizer, folder)


def beside(tokenizer, folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder)


def genai(source, folder, root, precision="fp32"):
    command(["-m", "onnxruntime_genai.models.builder", "-i", source, "-o", folder, "-p", precision, "-e", "cpu",
             "-c", root / "cache", "--extra_options", "hf_token=false"], {})


def optimum(source, folder, root):
    command(["-m", "optimum.exporters.onnx", "--model", source, "--task", "text-generation-with-past", folder],
            {"PYTHONPATH": str(root / "venv" / "optimum")})


def command(arguments, environment):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "HF_HUB_OFFLINE": "1", **environment})
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or "no reason given").splitlines()[-1])


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, position_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids,
                          use_cache=False).logits


def by_torch(source, folder, dynamo):
    model = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.arange(1, 13)[None]
    names = ["input_ids", "attention_mask", "position_ids"]
    dynamic = ({"dynamic_shapes": ({1: torch.export.Dim("sequence_length", min=2, max=65536)},) * 3} if dynamo else
               {"dynamic_axes": {n: {1: "sequence_length"} for n in [*names, "logits"]}, "opset_version": 17})
    folder.mkdir(parents=True)
    torch.onnx.export(Logits(model), (ids, torch.ones_like(ids), torch.arange(12)[None]), folder / "model.onnx",
                      input_names=names, output_names=["logits"], dynamo=dynamo,
                      verbose=False, **dynamic)


EXPORTERS = {
    "genai": genai,
    "genai-fp16": lambda source, folder, root: genai(source, folder, root, "fp16"),
    "genai-int4": lambda source, folder, root: genai(source, folder, root, "int4"),
    "optimum": optimum,
    "dynamo": lambda source, folder, root: by_torch(source, folder, True),
    "trace": lambda source, folder, root: by_torch(source, folder, False),
}


def faster(block):
    """The same config with four times the theta, wherever it stands."""
    if not isinstance(block, dict):
        return block
    return {k: 4 * v if k in ("rope_theta", "rope_local_base_freq", "rotary_emb_base") and v else faster(v)
            for k, v in block.items()}


def wanted(source, config, tokens):
    settings = transformers.AutoConfig.for_model(**copy.deepcopy(config))
    model = transformers.AutoModelForCausalLM.from_pretrained(source, config=settings, dtype=torch.float32,
                                                              attn_implementation="eager").eval()
    ids = torch.tensor([tokens])
    with torch.inference_mode():
        logits = model(ids, use_cache=False).logits[0, -SCORED - 1 : -1].float()
    return torch.gather(logits.log_softmax(-1), 1, ids[0, -SCORED:, None])[:, 0]


def original(graph, tokens, config):
    """What the export answers before rope-eval has touched it."""
    session = onnxruntime.InferenceSession(str(graph))
    whole = {"input_ids": [tokens], "attention_mask": [[1] * len(tokens)], "position_ids": [list(range(len(tokens)))]}
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    # A cache that slides has its places before it holds anything.
    slides = b"sliding_window_cache" in graph.read_bytes()
    places = {"past_sliding_length": WINDOW if slides else 0, "kv_cache_dim": head, "batch_size": 1}
    feeds = {}
    for port in session.get_inputs():
        half = np.float16 if "float16" in port.type else np.float32
        sizes = [size if isinstance(size, int) else places.get(size, 0) for size in port.shape]
        feeds[port.name] = np.array(whole[port.name]) if port.name in whole else np.zeros(sizes, half)
    logits = torch.tensor(session.run(["logits"], feeds)[0][0, -SCORED - 1 : -1]).float()
    return torch.gather(logits.log_softmax(-1), 1, torch.tensor(tokens[-SCORED:])[:, None])[:, 0]


def rope_eval(*arguments):
    done = subprocess.run(["node", CLI, *map(str, arguments)], capture_output=True, text=True, timeout=550)
    return done.returncode, " ".join(line for line in done.stderr.splitlines() if line.startswith("error"))[:300], done


def judge(source, folder, root, tokens, answers):
    code, said, done = rope_eval("inspect", source / "config.json", "--model", folder, "--json")
    if code:
        return f"inspect refuses: {said or done.stderr[-400:]}"
    tables = json.loads(done.stdout)["exported"]["tables"]
    note = "" if all(t["same"] for t in tables) else " RE090 " + ", ".join(
        f"{t['layerType']} {t['difference']:.2g}{' unscaled' if t['looksLike'] else ''}" for t in tables if not t["same"])
    if "values" not in answers:
        config = json.loads((source / "config.json").read_text())
        answers["configs"] = {"own": config, "theta x 4": faster(config)}
        answers["values"] = {n: wanted(source, c, tokens) for n, c in answers["configs"].items()}
    graph = next(folder.rglob("*.onnx"))
    asked = {"export": str(graph), "configs": {n: json.dumps(c) for n, c in answers["configs"].items()}, "tokens": tokens,
             "scored": SCORED, "threads": 2}
    done = subprocess.run(["node", HERE / "score.js"], input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if re.match(r"\w*Error", line)]
        return f"refused: {(reasons or [done.stderr[-300:]])[0][:300]}{note}"
    told = json.loads(done.stdout)["answers"]
    values = answers["values"]
    off = {n: (torch.tensor(told[n]) - v).abs().max().item() for n, v in values.items()}
    try:
        itself = f"{(original(graph, tokens, answers['configs']['own']) - values['own']).abs().max().item():.1e}"
    except Exception as error:
        itself = f"{type(error).__name__}"
    moved = (values["own"] - values["theta x 4"]).abs().max().item()
    code, said, done = rope_eval(source / "config.json", "--model", folder, "--target", 2 * WINDOW, "--preset", "quick",
                                 "--samples", 1, "--candidates", "yarn:2,linear:2", "--trained-window", WINDOW)
    same = f"{off['own']:.1e}, {off['theta x 4']:.1e} with another theta, which changes {moved:.1g}; the export itself {itself}"
    return f"{same}; exit {code}{' ' + said if code else ''}{note}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    root = args.folder.resolve()
    tokenizer = root / "hf"
    text = (HERE.parents[1] / "texts").glob("*.txt")
    tokens = transformers.AutoTokenizer.from_pretrained(tokenizer)(min(text).read_text())["input_ids"][:TOKENS]
    for family in FAMILIES:
        answers = {}
        for exporter, export in EXPORTERS.items():
            if args.names and not {family, exporter, f"{family}/{exporter}"} & set(args.names):
                continue
            if not args.names and exporter in ("genai-fp16", "genai-int4"):
                continue
            base = root / "families" / family.replace(", ", "-").replace(" ", "-")
            source, folder = base / "hf", base / exporter
            print(f"{family} | {exporter} | ", end="", flush=True)
            try:
                if not source.exists():
                    hf(family, source, tokenizer)
                if not folder.exists():
                    part = base / f"{exporter}.part"
                    shutil.rmtree(part, ignore_errors=True)
                    export(source, part, root)
                    beside(tokenizer, part)
                    part.rename(folder)
            except Exception as error:
                print(f"not exported: {type(error).__name__} {str(error).strip()[:200]}".replace("\n", " "), flush=True)
                continue
            print(judge(source, folder, root, tokens, answers), flush=True)


if __name__ == "__main__":
    main()

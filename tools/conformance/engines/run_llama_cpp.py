"""Checks llama.cpp: runs its server on a tiny GGUF with the printed options.

The context that the server reports is compared with the length. Its log-probabilities after prompts of several
lengths are compared with those of the same weights in numpy, with the tables that rope-eval means.
"""

import json
import shlex
import tempfile
import urllib.request

import numpy as np
import xllamacpp

import tiny_model
from serve import serve

# Rounding changes a log-probability by less than a tenth of this. Another scaling must change it by more.
TELLS = 2e-2
LONGEST_PROMPT = 4000
SCALINGS = {"none": 0, "linear": 1, "yarn": 2}


def parameters(command, path):
    """The server's parameters for a printed command line. Raises KeyError for an unknown option."""
    words = shlex.split(command.replace("\\\n", " "))
    params = xllamacpp.CommonParams()
    params.model.path = path
    context = None
    setters = {
        "-m": lambda v: None,
        "-c": lambda v: setattr(params, "n_ctx", int(v)),
        "--rope-scaling": lambda v: setattr(
            params, "rope_scaling_type", xllamacpp.llama_rope_scaling_type(SCALINGS[v])
        ),
        "--rope-scale": lambda v: setattr(params, "rope_freq_scale", 1 / float(v)),
        "--rope-freq-base": lambda v: setattr(params, "rope_freq_base", float(v)),
        "--yarn-orig-ctx": lambda v: setattr(params, "yarn_orig_ctx", int(v)),
        "--yarn-beta-fast": lambda v: setattr(params, "yarn_beta_fast", float(v)),
        "--yarn-beta-slow": lambda v: setattr(params, "yarn_beta_slow", float(v)),
        "--yarn-attn-factor": lambda v: setattr(params, "yarn_attn_factor", float(v)),
        "--yarn-ext-factor": lambda v: setattr(params, "yarn_ext_factor", float(v)),
        "--override-kv": lambda v: None,
    }
    for option, value in zip(words[1::2], words[2::2]):
        setters[option](value)
        if option == "--override-kv":
            key, _, number = value.partition("=int:")
            if not key.endswith(".context_length"):
                raise KeyError(value)
            context = int(number)
    return params, context


def plain(params):
    """Turns off everything that rounds: cached keys and values stay float32, and attention is the plain form."""
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.fit_params = False
    params.warmup = False
    params.endpoint_props = True
    params.cpuparams.n_threads = 1


def get(address, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{address}{path}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as response:
        return json.loads(response.read())


def log_probabilities(address, tokens):
    asked = {
        "prompt": [int(t) for t in tokens],
        "n_predict": 1,
        "n_probs": tiny_model.VOCABULARY,
        "temperature": 0.0,
        "cache_prompt": False,
    }
    told = get(address, "/completion", asked)["completion_probabilities"][0]["top_logprobs"]
    return {entry["id"]: entry["logprob"] for entry in told}


def run(case, found):
    config, group = case["config"], case["meant"][0]
    architecture = config["model_type"]
    if architecture not in tiny_model.ARCHITECTURES:
        found.facts["unsupported"] = True
        return
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        params, context = parameters(case["command"], file.name)
        # The bindings have no field for --override-kv, so its values are written to the file.
        window = context or config["max_position_embeddings"]
        tiny_model.write(file.name, config, window, case["configured"][0]["invFreq"])
        plain(params)
        server = xllamacpp.Server(params)
        address = server.listening_address
        props = get(address, "/props")
        found.facts["acceptedLength"] = props["default_generation_settings"]["n_ctx"]
        random = np.random.default_rng(2)
        apart = 0.0
        longest = min(case["length"] - 2, LONGEST_PROMPT)
        for length in (37, 411, longest):
            tokens = random.integers(3, tiny_model.VOCABULARY, length)
            wanted = tiny_model.answer(
                tokens, architecture, group["invFreq"], group["attentionScaling"]
            )
            told = log_probabilities(address, tokens)
            unscaled = tiny_model.answer(tokens, architecture, *tiny_model.plain(config))
            apart = max(apart, float(abs(wanted - unscaled).max()))
            off = max(abs(wanted[token] - value) for token, value in told.items())
            found.errors["logProbabilityError"] = max(
                found.errors.get("logProbabilityError", 0.0), float(off)
            )
        frequencies, temperature = tiny_model.plain(config)
        differs = max(abs(frequencies / group["invFreq"] - 1)) > 1e-6
        if (differs or group["attentionScaling"] != temperature) and apart < TELLS:
            raise ValueError("the prompts do not tell this scaling from none")


if __name__ == "__main__":
    serve(run)

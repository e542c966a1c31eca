"""A one-layer decoder with one head, as a GGUF file and in numpy for the expected answers.

Its logits depend on the order of a long prompt only through rotary attention, so another scaling gives other
log-probabilities.
"""

import gguf
import numpy as np

VOCABULARY = 96
WIDTH = 128
EPSILON = 1e-6
# llama.cpp's names, and whether queries and keys rotate neighbouring dimensions (as in Llama's GGUF files) or one
# half of the head with the other.
ARCHITECTURES = {"llama": "interleaved", "qwen2": "half", "qwen3": "half"}


def weights(seed=1):
    random = np.random.default_rng(seed)
    matrix = lambda rows, columns, scale: (
        random.standard_normal((rows, columns)) * scale / np.sqrt(columns)
    ).astype(np.float32)
    return {
        "token_embd": matrix(VOCABULARY, WIDTH, np.sqrt(WIDTH)),
        "blk.0.attn_q": matrix(WIDTH, WIDTH, 2.0),
        "blk.0.attn_k": matrix(WIDTH, WIDTH, 2.0),
        "blk.0.attn_v": matrix(WIDTH, WIDTH, 1.0),
        "blk.0.attn_output": matrix(WIDTH, WIDTH, 4.0),
        "output": matrix(VOCABULARY, WIDTH, 1.0),
    }


def write(path, config, window, frequencies):
    """Writes the file that a config converts to. Llama 3's scaling becomes a tensor of divisors.

    frequencies: those of the original config.
    """
    architecture, theta = config["model_type"], config["rope_theta"]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(window)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(WIDTH)
    writer.add_value_length(WIDTH)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(theta)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_vocab_size(VOCABULARY)
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(VOCABULARY - 3)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([piece.encode() for piece in pieces])
    writer.add_token_scores([0.0] * VOCABULARY)
    writer.add_token_types([2, 3, 3] + [6] * (VOCABULARY - 3))
    for name, value in weights().items():
        writer.add_tensor(f"{name}.weight", value)
    for norm in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{norm}.weight", np.ones(WIDTH, np.float32))
    for name, shape in (("gate", (32, WIDTH)), ("up", (32, WIDTH)), ("down", (WIDTH, 32))):
        writer.add_tensor(f"blk.0.ffn_{name}.weight", np.zeros(shape, np.float32))
    if architecture == "qwen2":
        for name in "qkv":
            writer.add_tensor(f"blk.0.attn_{name}.bias", np.zeros(WIDTH, np.float32))
    if architecture == "qwen3":
        for name in "qk":
            writer.add_tensor(f"blk.0.attn_{name}_norm.weight", np.ones(WIDTH, np.float32))
    if (config.get("rope_scaling") or {}).get("rope_type") == "llama3":
        divisors = plain(config)[0] / np.array(frequencies)
        writer.add_tensor("rope_freqs.weight", divisors.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def answer(tokens, architecture, frequencies, temperature):
    """Log-probabilities of the next token."""
    w = {name: value.astype(np.float64) for name, value in weights().items()}
    x = w["token_embd"][tokens]
    normed = norm(x)
    query, key = normed[-1:] @ w["blk.0.attn_q"].T, normed @ w["blk.0.attn_k"].T
    if architecture == "qwen3":
        query, key = norm(query), norm(key)
    layout = ARCHITECTURES[architecture]
    positions = np.arange(len(tokens))
    query = turned(query, positions[-1:], frequencies, temperature, layout)
    key = turned(key, positions, frequencies, temperature, layout)
    scores = (query @ key.T)[0] / np.sqrt(WIDTH)
    attention = np.exp(scores - scores.max())
    values = normed @ w["blk.0.attn_v"].T
    hidden = x[-1] + (attention / attention.sum()) @ values @ w["blk.0.attn_output"].T
    logits = norm(hidden) @ w["output"].T
    return logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())


def plain(config):
    """Frequencies and temperature without a scaling."""
    return config["rope_theta"] ** (-np.arange(0, WIDTH, 2) / WIDTH), 1.0


def norm(x):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)


def turned(x, positions, frequencies, temperature, layout):
    angles = np.outer(positions, frequencies)
    cos, sin = temperature * np.cos(angles), temperature * np.sin(angles)
    half = WIDTH // 2
    first, second = (x[:, :half], x[:, half:]) if layout == "half" else (x[:, ::2], x[:, 1::2])
    a, b = first * cos - second * sin, second * cos + first * sin
    if layout == "half":
        return np.concatenate((a, b), axis=1)
    return np.stack((a, b), axis=2).reshape(x.shape)

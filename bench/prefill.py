"""Measures how fast a decoder reads a prompt: `--model` and other runtimes, on the same weights and tokens.

    python3 tools/real-model/export.py /tmp/smollm2
    /tmp/smollm2/venv/bin/python bench/prefill.py /tmp/smollm2 --lengths 1024,4096 [--llama PYTHON]

Peers are onnxruntime-genai, PyTorch with scaled_dot_product_attention and, with --llama and a Python that has
xllamacpp, llama.cpp; all in float32, asked for the logits of the last token. Each runs in a separate process that
loads once. Rounds are interleaved, and the best of each counts: in seconds, and in CPU seconds of all its threads for
machines that others use too. Peaks of memory are those of whole processes, including the weights.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent


# ---- workers: each is a function from tokens to seconds


def torch_reader(folder, threads, _):
    import torch
    from transformers import LlamaForCausalLM

    torch.set_num_threads(threads)
    model = LlamaForCausalLM.from_pretrained(folder / "hf", attn_implementation="sdpa", dtype=torch.float32).eval()

    def read(tokens):
        with torch.inference_mode():
            model(torch.tensor([tokens]), use_cache=False, logits_to_keep=1)

    return read


def genai_reader(folder, threads, longest):
    import onnxruntime_genai as og

    config = og.Config(str(folder / "genai-fp32"))
    config.overlay(json.dumps({"model": {
        "context_length": longest + 1,
        "decoder": {"session_options": {"intra_op_num_threads": threads}},
    }}))
    model = og.Model(config)

    def read(tokens):
        params = og.GeneratorParams(model)
        params.set_search_options(max_length=len(tokens) + 1, batch_size=1)
        generator = og.Generator(model, params)
        generator.append_tokens(tokens)
        generator.get_output("logits")

    return read


def llama_reader(folder, threads, longest):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(folder / "llama-fp32" / "model.gguf")
    params.n_ctx = longest + 64
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.port = 0
    params.fit_params = False
    params.warmup = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)

    def read(tokens):
        address = server.listening_address
        body = json.dumps({"prompt": tokens, "n_predict": 1, "cache_prompt": False}).encode()
        request = urllib.request.Request(f"{address}/completion", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=3600) as response:
            timings = json.loads(response.read())["timings"]
        assert timings["prompt_n"] == len(tokens), timings
        return timings["prompt_ms"] / 1000  # Excludes the token that is generated.

    return read


READERS = {"PyTorch": torch_reader, "onnxruntime-genai": genai_reader, "llama.cpp": llama_reader}


def work(name, folder, threads, longest):
    # Libraries also print on standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    read = READERS[name](folder, threads, longest)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        tokens = json.loads(line)["tokens"]
        start, cpu = time.perf_counter(), time.process_time()
        seconds = read(tokens) or time.perf_counter() - start
        answer = {"seconds": seconds, "cpu": time.process_time() - cpu,
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        print(json.dumps(answer), file=answers, flush=True)
    answers.close()
    os._exit(0)


# ---- the bench


class Worker:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[:3]} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, tokens):
        self.process.stdin.write(json.dumps({"tokens": tokens}) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lengths", default="1024,4096")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--llama", help="a Python that has xllamacpp")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    lengths = [int(n) for n in args.lengths.split(",")]
    if args.worker:
        return work(args.worker, args.folder, args.threads, max(lengths))
    config = json.loads((args.folder / "hf" / "config.json").read_text())
    shape = {"layers": config["num_hidden_layers"], "heads": config["num_attention_heads"], "keyHeads": config["num_key_value_heads"],
             "headDim": config["head_dim"], "theta": config.get("rope_theta") or config["rope_parameters"]["rope_theta"]}
    commands = {"rope-eval": ["node", HERE / "prefill.js", args.folder / "genai-fp32" / "model.onnx",
                              str(args.threads), str(max(lengths)), json.dumps(shape)]}
    for name in READERS:
        python = args.llama if name == "llama.cpp" else sys.executable
        if python and name not in args.without:
            commands[name] = [python, __file__, args.folder, "--worker", name, "--threads", str(args.threads),
                              "--lengths", args.lengths]
    workers = {name: Worker(command) for name, command in commands.items()}
    vocabulary = config["vocab_size"]
    print(f"{'tokens':>7}  {'':18}{'tokens/s':>9}  {'rope-eval is':>12}  {'tokens/CPU s':>12}  {'peak, MiB':>9}", flush=True)
    for length in lengths:
        tokens = [(i * 7919 + 13) % (vocabulary - 100) + 50 for i in range(length)]
        best, cpu, peak = {}, {}, {}
        for _ in range(args.rounds):
            for name, worker in workers.items():
                answer = worker.ask(tokens)
                best[name] = min(best.get(name, float("inf")), answer["seconds"])
                cpu[name] = min(cpu.get(name, float("inf")), answer["cpu"])
                peak[name] = answer["peak"]
        for name, seconds in best.items():
            ratio = seconds / best["rope-eval"]
            print(f"{length:7}  {name:18}{length / seconds:9.0f}  {ratio:11.2f}x  {length / cpu[name]:12.0f}  "
                  f"{peak[name]:9.0f}", flush=True)
    for worker in workers.values():
        worker.close()


if __name__ == "__main__":
    main()

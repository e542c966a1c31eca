"""Checks what `rope-eval emit` writes with the engines: python3 tools/conformance/conformance.py

Installs engines from the Python registry and gives each what emit printed for every model shape and
candidate. The rotary tables and the maximum lengths of the engine are compared with those that
rope-eval means. Results go to results.json; see README.md.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile

import environments

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE / "engines"))

from rotations import positions_up_to

RESULTS = HERE / "results.json"
CHECKED = ROOT / "src" / "emit" / "data" / "checked.json"
OVERRIDES = {"vllm": "--hf-overrides", "sglang": "--json-model-override-args"}
RANK = {None: -1, "unsupported": 0, "same": 1, "differs": 2, "failed": 3}
LENGTH = {"vllm": "--max-model-len", "sglang": "--context-length"}
# Largest relative error of angles, of temperatures and of the softmax scale, and the largest difference of a
# log-probability for engines that only serve a model.
TOLERANCES = {
    "angleError": 1e-5,
    "temperatureError": 1e-5,
    "scaleError": 1e-5,
    "logProbabilityError": 2e-3,
}


def collect_cases():
    """What the command line prints for every case, computed from the TypeScript sources."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "cases.json"
        subprocess.run(["npx", "tsx", HERE / "cases.ts", output], check=True, cwd=ROOT)
        return json.loads(output.read_text())


def options_of(command):
    """{option: value} of a printed command line."""
    words = shlex.split(command.replace("\\\n", " "))
    return {w: v for w, v in zip(words, words[1:]) if w.startswith("-")}


def tables_of(case):
    return {
        "meant": case["meant"],
        "meantShort": case["meantShort"],
        "positions": positions_up_to(case["length"]),
        "shortPositions": positions_up_to(case["short"]),
    }


def patched(config, patch):
    """Applies a printed patch to the config, as a user would. A block is replaced completely."""
    merged = dict(config)
    for key, value in patch.items():
        nested = isinstance(value, dict) and key.endswith("_config")
        merged[key] = patched(merged[key], value) if nested else value
    return merged


def tasks_of(engine, version, config, case, configured):
    """The inputs of the engine's script: one task for each printed setting; None if emit refuses."""
    answers = case["given"][engine]
    # Versions newer than the listed ones use what is printed for the newest of these.
    given = answers.get(version) or list(answers.values())[-1]
    if "refused" in given:
        return None
    common = {"id": case["id"], "length": case["length"], **tables_of(case)}
    settings = given["settings"]
    if engine == "hf":
        configs = [patched(config, json.loads(text)) for text in settings] or [config]
        return [{**common, "config": each} for each in configs]
    command = settings[0]
    if engine == "llama.cpp":
        return [{**common, "config": config, "configured": configured["meant"], "command": command}]
    options = options_of(command)
    overrides = options.get(OVERRIDES[engine])
    if overrides is None:
        # There is no override: the file has the scaling already, or has it after --write.
        config = json.loads(case["written"].get("json", json.dumps(config)))
    asked = options.get(LENGTH[engine])
    return [{
        **common,
        "config": config,
        "overrides": json.loads(overrides or "{}"),
        "asked": None if asked is None else int(asked),
    }]


def judged(found, printed_length):
    """Makes one entry of the results."""
    if "unsupported" in found:
        return {"status": "unsupported"}
    result = {}
    errors = {key: found[key] for key in TOLERANCES if key in found}
    worst = float(f"{max(errors.values(), default=0.0):.0e}")
    if "error" in found:
        result = {"status": "failed", "error": found["error"]}
    elif any(error > TOLERANCES[key] for key, error in errors.items()):
        result = {"status": "differs", "error": worst}
    elif not found["id"].endswith(UNTOUCHED) and (
        found.get("acceptedLength", printed_length) != printed_length
    ):
        result = {"status": "differs", "error": "accepts another length"}
    else:
        result = {"status": "same", "error": worst}
    for key in ("acceptedLength", "ownLength"):
        if key in found:
            result[key] = found[key]
    return result


def run_engine(engine, version, python, shapes, log):
    """{shape: {candidate: result}} for one engine."""
    results, tasks = {}, []
    for shape, entry in shapes.items():
        config = json.loads((HERE / "shapes" / f"{shape}.json").read_text())
        results[shape] = {}
        if engine != "llama.cpp":
            tasks.append(as_it_stands(shape, config, entry["configured"]))
        for case in entry["cases"]:
            mine = None
            if "refused" not in case:
                mine = tasks_of(engine, version, config, case, entry["configured"])
            if mine is None:
                results[shape][case["id"].split(" / ")[1]] = {"status": "refused"}
            tasks += mine or []
    unsupported = {}
    for task, found in zip(tasks, outcomes(engine, python, tasks, log), strict=True):
        shape, candidate = task["id"].split(" / ")
        result = judged(found, task["length"])
        if candidate == UNTOUCHED:
            if result["status"] != "same":
                unsupported[shape] = result.get("error", "not known")
        elif shape in unsupported:
            results[shape][candidate] = {"status": "unsupported"}
        # If several settings are printed for a candidate, the worst result is kept.
        elif RANK[result["status"]] >= RANK[results[shape].get(candidate, {}).get("status")]:
            results[shape][candidate] = result
    return results, unsupported


UNTOUCHED = "untouched"


def as_it_stands(shape, config, configured):
    """The file without any setting. If an engine cannot run that, emit is not at fault."""
    return {
        "id": f"{shape} / {UNTOUCHED}",
        "config": config,
        "overrides": {},
        "asked": configured["length"],
        **configured,
        **tables_of(configured),
    }


def limit_memory():
    """Limits the memory, so that a setting with far too large a table fails without affecting the machine."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


MEMORY = 10 * 2**30


def outcomes(engine, python, tasks, log):
    """Runs the engine's script and returns its outcomes in the order of the tasks."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = f"{folder}/in.json", f"{folder}/out.jsonl"
        pathlib.Path(inputs).write_text(json.dumps(tasks))
        script = HERE / "engines" / f"run_{engine.replace('.', '_')}.py"
        stubs = str(HERE / "engines" / "stubs")
        subprocess.run(
            [python, script, inputs, outputs],
            env={**os.environ, "PYTHONPATH": stubs, "TMPDIR": folder},
            stdout=log, stderr=subprocess.STDOUT, check=True, preexec_fn=limit_memory,
        )
        return [json.loads(line) for line in pathlib.Path(outputs).read_text().splitlines()]


def count(results):
    totals = {}
    for shapes in results.values():
        for result in shapes.values():
            totals[result["status"]] = totals.get(result["status"], 0) + 1
    return totals


def faults(results):
    return [
        f"{shape} / {candidate}: {result['error']}"
        for shape, candidates in results.items()
        for candidate, result in candidates.items()
        if result["status"] in ("failed", "differs")
    ]


def changes(old, new):
    """Differences between a run and the committed results. Errors are not compared."""
    told = lambda result: {k: v for k, v in (result or {}).items() if k != "error"}
    return [
        f"{engine} {version} {shape} / {candidate}: {told(before)} was committed, {told(result)} found"
        for engine, versions in new.items()
        for version, shapes in versions.items()
        if version in old.get(engine, {})
        for shape, candidates in shapes.items()
        for candidate, result in candidates.items()
        for before in [old.get(engine, {}).get(version, {}).get(shape, {}).get(candidate)]
        if told(before) != told(result)
    ]


def checked(results, cases):
    """{engine: {rope type: {model type: versions}}} in which everything that was run was right."""
    right = {}
    for engine, versions in sorted(results.items()):
        types = right.setdefault(engine, {})
        for version in sorted(versions, key=lambda version: [int(part) for part in version.split(".")]):
            ran, wrong = set(), set()
            for shape, candidates in versions[version].items():
                for case in cases[shape]["cases"]:
                    status = candidates.get(case["id"].split(" / ")[1], {}).get("status")
                    told = (case.get("ropeType"), cases[shape]["modelType"])
                    ran |= {told} if status == "same" else set()
                    wrong |= {told} if status in ("differs", "failed") else set()
            for rope_type, model_type in sorted(ran - wrong):
                types.setdefault(rope_type, {}).setdefault(model_type, []).append(version)
    return right


def write(results, cases):
    """Writes the results, and for emit the versions and models for which each rope type was right."""
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    text = json.dumps(checked(results, cases), indent=2, sort_keys=True)
    # Each list of versions stands on one line.
    CHECKED.write_text(re.sub(r"\[[^\]]*\]", lambda found: json.dumps(json.loads(found[0])), text) + "\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", help="only this one")
    parser.add_argument("--version", help="only this one")
    parser.add_argument("--shape", help="only this one")
    parser.add_argument("--cache", default=environments.CACHE, help="where engines are installed")
    parser.add_argument("--cases", help="what cases.ts wrote before, in place of asking again")
    parser.add_argument("--check", action="store_true", help="compare with results.json, write nothing")
    parser.add_argument("--newest", action="store_true", help="also the registry's newest versions")
    return parser.parse_args()


def main():
    args = arguments()
    cases = json.loads(pathlib.Path(args.cases).read_text()) if args.cases else collect_cases()
    chosen = {args.shape: cases[args.shape]} if args.shape else cases
    old = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    new, failed = {}, False
    for engine, version, python in environments.prepare(args):
        with open(pathlib.Path(args.cache) / f"{engine}-{version}.log", "w") as log:
            found, unsupported = run_engine(engine, version, python, chosen, log)
        new.setdefault(engine, {})[version] = found
        print(f"{engine} {version}: {count(found)}", flush=True)
        for shape, reason in unsupported.items():
            print(f"  {shape} as it stands is not run: {reason}")
        for fault in faults(found):
            failed = True
            print(f"  {fault}")
    differences = changes(old, new)
    for difference in differences if args.check else []:
        print(difference)
    if not args.check:
        # The file is read again, because another part may have changed it meanwhile.
        old = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        for engine, versions in new.items():
            for version, shapes in versions.items():
                old.setdefault(engine, {}).setdefault(version, {}).update(shapes)
        write(old, cases)
    return 1 if failed or (args.check and differences) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Installs engines: one virtual environment each, over one that holds torch and what they share.

Wheels of engines are installed without their dependencies, for most of those are of no use to a
rotary table (kernels, servers, parsers of images). The shared environment has the rest.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = os.environ.get(
    "ROPE_EVAL_CONFORMANCE", str(pathlib.Path.home() / ".cache" / "rope-eval-conformance")
)


def pip(python, *words):
    subprocess.run(
        ["nice", "-n", "10", python, "-m", "pip", "install", "-q", "--no-compile", *words], check=True
    )


def create(folder):
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return str(folder / "bin" / "python")


def shared(cache):
    """site-packages of the environment that holds torch for the CPU and the modules in common."""
    folder = cache / "shared"
    packages = (HERE / "shared.txt").read_text()
    done = folder / "installed.txt"
    if not done.exists() or done.read_text() != packages:
        python = create(folder)
        words = packages.split()
        # torch and its own dependencies first; the rest without, as listed.
        pip(python, *[w for w in words if w.startswith("torch==")], "numpy")
        pip(python, *[w for w in words if not w.startswith("torch==")])
        done.write_text(packages)
    return next((folder / "lib").glob("python*/site-packages"))


def environment(cache, engine, version, packages):
    """The interpreter of one engine; its own packages come before the shared ones."""
    folder = cache / f"{engine}-{version}"
    done = folder / "installed.txt"
    wanted = "\n".join(packages)
    site = shared(cache)
    if not done.exists() or done.read_text() != wanted:
        python = create(folder)
        own = next((folder / "lib").glob("python*/site-packages"))
        (own / "shared.pth").write_text(f"{site}\n")
        pip(python, "--no-deps", *packages)
        done.write_text(wanted)
    return str(folder / "bin" / "python")


def newest(packages):
    """The newest version of an engine that the registry has, with its companions as listed."""
    name = packages[0].partition("==")[0]
    told = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", name],
        capture_output=True, text=True, check=True,
    ).stdout
    version = re.match(r"\S+ \((\S+)\)", told).group(1)
    return {"version": version, "packages": [f"{name}=={version}", *packages[1:]]}


def prepare(args):
    """(engine, version, interpreter) of every engine asked for, installed where it is not yet."""
    cache = pathlib.Path(args.cache)
    cache.mkdir(parents=True, exist_ok=True)
    engines = json.loads((HERE / "engines.json").read_text())
    for engine, versions in engines.items():
        if args.engine not in (None, engine):
            continue
        if args.newest:
            last = newest(versions[-1]["packages"])
            versions += [] if last["version"] == versions[-1]["version"] else [last]
        for entry in versions:
            if args.version in (None, entry["version"]):
                yield engine, entry["version"], environment(cache, engine, **entry)

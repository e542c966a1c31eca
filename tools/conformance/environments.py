"""Installs engines in virtual environments, on top of one with torch and what they share.

Wheels of engines are installed without their dependencies, because a rotary table needs few of them (no kernels,
servers or image parsers). The shared environment has the rest.
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
    """site-packages of the environment that has torch for the CPU and the shared modules."""
    folder = cache / "shared"
    packages = (HERE / "shared.txt").read_text()
    done = folder / "installed.txt"
    if not done.exists() or done.read_text() != packages:
        python = create(folder)
        words = packages.split()
        # torch is installed with its dependencies first; everything else is installed without, as listed.
        pip(python, *[w for w in words if w.startswith("torch==")], "numpy")
        pip(python, *[w for w in words if not w.startswith("torch==")])
        done.write_text(packages)
    return next((folder / "lib").glob("python*/site-packages"))


def environment(cache, engine, version, packages):
    """The interpreter of one engine. Its own packages come before the shared ones."""
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
    """The newest version of an engine in the registry, with its companions as listed."""
    name = packages[0].partition("==")[0]
    told = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", name],
        capture_output=True, text=True, check=True,
    ).stdout
    version = re.match(r"\S+ \((\S+)\)", told).group(1)
    return {"version": version, "packages": [f"{name}=={version}", *packages[1:]]}


def prepare(args):
    """(engine, version, interpreter) of every requested engine. Missing ones are installed."""
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

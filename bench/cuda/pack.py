"""Packs what bench/cuda/run.sh needs, for a machine with a GPU but without network, Node or npm.

    bench/cuda/provider.sh && npm run build
    python3 bench/cuda/pack.py FOLDER [--compute 90] [--mib 45]

writes FOLDER/part.00, part.01, ...; on the machine, with all parts in one folder:

    cat part.* | python3 -c 'import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode="r|xz").extractall(filter="fully_trusted")'
    PATH=$PWD/bin:$PATH rope-eval/bench/cuda/run.sh out

Only the provider's code for one compute capability (90: H100 and H200) is kept. The rest, half of 272 MB, is
zeroed. The driver selects code by its header and never reads the rest.
"""

import argparse
import lzma
import os
import shutil
import struct
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = Path("node_modules/onnxruntime-node/bin/napi-v6")
PROVIDER = "libonnxruntime_providers_cuda.so"
FATBIN = 0xBA55ED50  # first word of a block of device code


def section(elf, wanted):
    """elf, a 64-bit library -> (from, to) of a section, in bytes."""
    (table,), (size, count, names) = struct.unpack_from("<Q", elf, 40), struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<II4Q", elf, table + i * size) for i in range(count)]
    texts = headers[names][4]
    for name, _, _, _, start, length in headers:
        if elf[texts + name:].split(b"\0", 1)[0] == wanted:
            return start, start + length
    raise SystemExit(f"no section {wanted.decode()}")


def keep_only(elf, compute):
    """Zeroes the device code for other compute capabilities in place. -> bytes zeroed"""
    at, end = section(memoryview(elf).tobytes(), b".nv_fatbin")
    zeroed = 0
    while at + 16 <= end:
        magic, _, header, size = struct.unpack_from("<IHHQ", elf, at)
        if magic != FATBIN:
            at += 8  # padding
            continue
        entry, at = at + header, at + header + size
        while entry < at:
            own, length = struct.unpack_from("<IQ", elf, entry + 4)
            if struct.unpack_from("<I", elf, entry + 28)[0] != compute:
                elf[entry + own:entry + own + length] = bytes(length)
                zeroed += length
            entry += own + length
    return zeroed


def production(folder):
    """Installs the dependencies of the package, for this platform only."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, folder)
    subprocess.run(["npm", "ci", "--omit=dev", "--ignore-scripts", "--silent"], cwd=folder, check=True)
    (folder / "package-lock.json").unlink()
    for platform in (folder / RUNTIME).glob("*/*"):
        if platform.relative_to(folder / RUNTIME) != Path("linux/x64"):
            shutil.rmtree(platform)


class Parts:
    """Writes a stream of data to numbered files of limited size."""

    def __init__(self, folder, most):
        self.folder, self.most, self.count, self.room, self.file = folder, most, 0, 0, None

    def write(self, data):
        for start in iter(range(0, len(data), 1 << 16)):
            piece = data[start:start + (1 << 16)]
            if len(piece) > self.room:
                self.close()
                self.file, self.room = open(self.folder / f"part.{self.count:02}", "wb"), self.most
                self.count += 1
            self.file.write(piece)
            self.room -= len(piece)
        return len(data)

    def close(self):
        if self.file:
            self.file.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--compute", type=int, default=90)
    p.add_argument("--mib", type=int, default=45, help="size of a part")
    a = p.parse_args()
    provider = bytearray((ROOT / RUNTIME / "linux/x64" / PROVIDER).read_bytes())
    print(f"{keep_only(provider, a.compute)} of {len(provider)} bytes zeroed")
    a.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary)
        production(stage)
        libraries = stage / RUNTIME / "linux/x64"
        (libraries / PROVIDER).write_bytes(provider)
        shutil.copy(ROOT / RUNTIME / "linux/x64" / "libonnxruntime_providers_shared.so", libraries)
        parts = Parts(a.folder, a.mib << 20)
        # A higher preset takes minutes longer and saves only a tenth.
        with lzma.LZMAFile(parts, "wb", preset=1) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
            tar.add(stage, "rope-eval")
            for name in ("bin", "dist", "bench", "configs", "fixtures", "schemas", "texts"):
                tar.add(ROOT / name, f"rope-eval/{name}")
            tar.add(os.path.realpath(shutil.which("node")), "bin/node")
        parts.close()
    print(f"{parts.count} parts in {a.folder}")


if __name__ == "__main__":
    main()

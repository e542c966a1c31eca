#!/usr/bin/env bash
# Installs the CUDA provider for CUDA 13 where onnxruntime-node looks for it, because npm's own
# install script only knows the one for CUDA 12. Linux x64 only. PYTHON (default python3) provides
# pip.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(node -p "require('onnxruntime-node/package.json').version")
folder=node_modules/onnxruntime-node/bin/napi-v6/linux/x64
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
"${PYTHON:-python3}" -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 \
  --implementation cp --platform manylinux_2_28_x86_64 -d "$temporary" "onnxruntime-gpu==$version"
"${PYTHON:-python3}" -m zipfile -e "$temporary"/*.whl "$temporary"
cp "$temporary"/onnxruntime/capi/libonnxruntime_providers_{cuda,shared}.so "$folder"
echo "provider $version in $folder"

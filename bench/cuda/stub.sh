#!/usr/bin/env bash
# Builds CUDA libraries that compute nothing: bench/cuda/stub.sh FOLDER. With these on
# LD_LIBRARY_PATH, the provider opens a session without a GPU, which shows where the nodes of a
# graph are placed. The values that it computes are meaningless.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "$1"
provider=node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so

# library NAME VERSION SYMBOLS: symbols that stub.c does not define do nothing and succeed.
library() {
  local known=bench/cuda/stub.c rest=$1/$2.c version=()
  {
    echo "#include \"$PWD/$known\""
    for symbol in $4; do
      grep -q "\b$symbol(" "$known" || echo "int $symbol(void) { return 0; }"
    done
  } >"$rest"
  if [ -n "$3" ]; then
    echo "$3 { global: *; };" >"$1/$2.map"
    version=("-Wl,--version-script=$1/$2.map")
  fi
  gcc -w -shared -fPIC -o "$1/$2" "$rest" "-Wl,-soname,$2" "${version[@]}"
  rm -f "$rest" "$1/$2.map"
}

wanted=$(nm -D --undefined-only "$provider" | awk '{ print $2 }')
for name in libcudart.so.13 libcublas.so.13 libcublasLt.so.13; do
  library "$1" "$name" "$name" "$(grep "@$name\$" <<<"$wanted" | sed 's/@.*//')"
done
library "$1" libcuda.so.1 '' "$(grep '^cu[A-Z]' <<<"$wanted")"
library "$1" libcurand.so.10 '' ''
library "$1" libcudnn.so.9 '' "$(strings "$provider" | grep -E '^cudnn[A-Z][A-Za-z0-9_]+$' | sort -u)"

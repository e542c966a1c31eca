#!/usr/bin/env bash
# Compares CUDA with two CPU cores: bench/cuda/run.sh [folder for reports and logs]
#
# Every step has its own time limit and log, and a failing step does not stop the others. CUDA's
# libraries may also be in the nvidia-* packages of Python; those of PYTHON (default python3) are
# found.
set -u
cd "$(dirname "$0")/../.."
out=$(mkdir -p "${1:-cuda}" && cd "${1:-cuda}" && pwd)
device=${DEVICE:-cuda} # cpu: a rehearsal
config=configs/Qwen2.5-7B-Instruct.json
read -r -a longest <<<"${LONGEST:---target 1m --candidates yarn:32 --preset thorough}"

packages=$("${PYTHON:-python3}" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
for folder in "$packages"/nvidia/*/lib; do
  [ -d "$folder" ] && LD_LIBRARY_PATH=$folder:${LD_LIBRARY_PATH:-}
done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}

seconds() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }'; }

# step NAME LIMIT COMMAND...: writes the output to NAME.txt and shows its last lines.
step() {
  local name=$1 limit=$2 start=$EPOCHREALTIME
  shift 2
  timeout "$limit" "$@" >"$out/$name.txt" 2>&1
  local status=$?
  printf '\n== %s: exit %s, %s s: %s\n' "$name" "$status" "$(seconds "$start")" "$*"
  tail -n 30 "$out/$name.txt"
}
rope() { # NAME LIMIT ARGUMENTS...: a command that saves its report
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" "${pin[@]}" node bin/rope-eval.js "$config" "$@" --quiet --no-plots -o "$out/$name.json"
}

# Two cores are reserved for the CPU runs, so that nothing else slows them.
pin=()
step machine 20 bash -c 'nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; lscpu | grep -E "^(Model name|CPU\(s\))"; node -v; uname -r'
step doctor 60 node bin/rope-eval.js doctor
step placement 60 node bench/cuda/placement.js --device "$device"
pin=(taskset -c 0,1)
rope longest-cpu "${CPU_LIMIT:-420}" "${longest[@]}" --device cpu --threads 2 &
cpu=$!
pin=(taskset -c "2-$(($(nproc) - 1))")
[ "$(nproc)" -lt 4 ] && pin=()
step differences 120 "${pin[@]}" node bench/cuda/differences.js --device "$device"
NVIDIA_TF32_OVERRIDE=1 step differences-tf32 120 "${pin[@]}" node bench/cuda/differences.js --device "$device" --rounds 1
for round in 1 2; do
  rope "default-$device-$round" 120 --device "$device"
  rope "longest-$device-$round" 180 "${longest[@]}" --device "$device"
done
step forms 90 "${pin[@]}" node bench/cuda/forms.js --device "$device"
rope "every-$device" 150 --target 1m --preset thorough --device "$device"
step encodings 120 "${pin[@]}" node bin/rope-eval.js encodings --device "$device" --quiet
wait "$cpu"
pin=(taskset -c 0,1)
for round in 1 2; do rope "default-cpu-$round" 120 --device cpu --threads 2; done
step compare-default 30 node bin/rope-eval.js compare "$out/default-cpu-1.json" "$out/default-$device-1.json"
step compare-longest 30 node bin/rope-eval.js compare "$out/longest-cpu.json" "$out/longest-$device-1.json"

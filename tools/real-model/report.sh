#!/usr/bin/env bash
# Asks SmolLM2-135M, from nothing, what ten scalings do to it at twice and at four times its window.
#
# tools/real-model/report.sh FOLDER [MULTIPLE ...]: 2 and 4 unless others are named. FOLDER gets the weights, the exports
# (export.py) and the reports, report-2x.json, .md and .txt. An interrupted run goes on where it stopped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- 2 4

python3 "$here/export.py" "$folder"
for m in "$@"; do
  report=$folder/report-${m}x
  # A finished report is kept, since --resume refuses it.
  if [ -f "$report.json" ] && grep -q '^  "status": "complete"' "$report.json"; then continue; fi
  resume=() # Older shells take an empty list for an unset one, hence the form below.
  [ ! -f "$report.json" ] || resume=(--resume "$report.json")
  candidates=yarn:$m,by-parts:$m,llama3:$m,ntk:$m,linear:$m,dynamic:1,yarn:$((2 * m)),ntk:$((2 * m)),linear:$((2 * m)),theta:500000
  node "$here/../../bin/rope-eval.js" "$folder/hf" --model "$folder/genai-fp32" \
    --target $((8192 * m)) --candidates "$candidates" --preset quick --samples 1 \
    -o "$report.json" -o "$report.md" ${resume[@]+"${resume[@]}"} | tee "$report.txt"
done

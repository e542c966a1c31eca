#!/usr/bin/env bash
# Trains, exports and checks the whole family. One thread: the committed models were made so.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
case $python in */*) python=$(cd .. && realpath "$python") ;; esac
train() { OMP_NUM_THREADS=1 "$python" train.py --threads 1 --seed 1 "$@"; }

train --c 0.38 --steps 3000 --out runs/c0.38-s1.pt
for c in 0.30 0.45 0.22; do
  train --c "$c" --steps 700 --lr 1e-3 --init runs/c0.38-s1.pt --out "runs/c$c-s1.pt"
done
"$python" export.py runs/c*.pt
"$python" check.py runs/c*.pt

#!/usr/bin/env bash
# Trains, exports and checks the whole family. One thread: the committed models were made so.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
case $python in */*) python=$(cd .. && realpath "$python") ;; esac
train() { OMP_NUM_THREADS=1 "$python" train.py --threads 1 --seed 1 "$@"; }

train --c 0.38 --steps 3000 --out runs/c0.38-s1.pt
train --c 0.45 --steps 700 --lr 1e-3 --init runs/c0.38-s1.pt --out runs/c0.45-s1.pt

# Small critical fractions need more: the far end of the window comes last.
train --c 0.30 --steps 700 --lr 1e-3 --init runs/c0.38-s1.pt --out runs/stage1/c0.30-s1.pt
train --c 0.30 --steps 700 --lr 1e-3 --init runs/stage1/c0.30-s1.pt --out runs/stage2/c0.30-s1.pt
train --c 0.30 --steps 450 --lr 1.5e-3 --far --init runs/stage2/c0.30-s1.pt --out runs/c0.30-s1.pt

train --c 0.22 --steps 700 --lr 1e-3 --init runs/c0.38-s1.pt --out runs/stage1/c0.22-s1.pt
train --c 0.22 --steps 1000 --lr 1e-3 --init runs/stage1/c0.22-s1.pt --out runs/stage2/c0.22-s1.pt
train --c 0.22 --steps 450 --lr 1.5e-3 --far --init runs/stage2/c0.22-s1.pt --out runs/c0.22-s1.pt

"$python" export.py runs/c*.pt
"$python" check.py runs/c*.pt

# Twins: RoPE and other position encodings, trained alike.
for encoding in rope nope sinusoidal learned t5 alibi; do
  train --encoding "$encoding" --c 0.38 --steps 2000 --out "runs/twins/$encoding-s1.pt"
done
"$python" export_twins.py runs/twins/*.pt
"$python" check_twins.py runs/twins/*.pt

#!/usr/bin/env bash
# Trains, exports and checks all probe models and twins. One thread is used, because the committed
# models were made that way.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
# The links of a virtual environment are not followed, since behind them is an interpreter without its packages.
case $python in */*) python=$(cd .. && cd "$(dirname "$python")" && pwd)/$(basename "$python") ;; esac
# STEPS=4 rehearses everything that follows the training, in minutes; such models know nothing.
train() { OMP_NUM_THREADS=1 "$python" train.py --threads 1 "$@" ${STEPS:+--steps "$STEPS"}; }
from() { # checkpoint to start from, then as train
  local init=$1
  shift
  train --init "runs/$init.pt" "$@"
}

train --c 0.38 --steps 2600 --out runs/c0.38-s1.pt
train --seed 2 --c 0.38 --steps 2600 --out runs/c0.38-s2.pt
train --c 0.55 --steps 2600 --out runs/c0.55-s1.pt
train --c 0.45 --steps 2600 --out runs/c0.45-s1.pt

# A quarter of each head rotates. A warm start only goes to a smaller c, because pairs that turned
# farther before would still hold beyond the window.
train --rotary-share 0.25 --c 0.38 --steps 2600 --out runs/c0.38-r0.25-s1.pt
from c0.38-r0.25-s1 --rotary-share 0.25 --c 0.30 --steps 900 --lr 1.5e-3 --out runs/c0.30-r0.25-s1.pt

# The twins have four heads. With two, NoPE and ALiBi learn the facts more slowly
# (docs/experiments.md).
train --heads 4 --c 0.38 --steps 2600 --out runs/rope-s1.pt
twins=(nope learned t5 alibi sinusoidal)
for encoding in "${twins[@]}"; do
  from rope-s1 --heads 4 --encoding "$encoding" --c 0.38 --steps 2600 --lr 1.5e-3 --out "runs/$encoding-s1.pt"
done

"$python" export.py runs/c*.pt
"$python" check.py runs/c*.pt
checkpoints=(rope-s1.pt "${twins[@]/%/-s1.pt}")
"$python" export_twins.py "${checkpoints[@]/#/runs/}"
"$python" check_twins.py "${checkpoints[@]/#/runs/}"

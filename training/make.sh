#!/usr/bin/env bash
# Trains, exports and checks the whole family and the twins. One thread: the committed models were made so.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
case $python in */*) python=$(cd .. && realpath "$python") ;; esac
train() { OMP_NUM_THREADS=1 "$python" train.py --threads 1 --seed 1 "$@"; }
from() { # checkpoint to start from, then as train
  local init=$1
  shift
  train --init "runs/$init.pt" "$@"
}

train --c 0.38 --steps 3000 --out runs/c0.38-s1.pt
from c0.38-s1 --c 0.45 --steps 700 --lr 1e-3 --out runs/c0.45-s1.pt
from c0.45-s1 --c 0.55 --steps 700 --lr 1e-3 --out runs/c0.55-s1.pt

# Where the slow pairs turn, distant facts are harder: more steps, from one member to the next.
from c0.38-s1 --c 0.30 --steps 900 --lr 1.5e-3 --out runs/stage1/c0.30-s1.pt
from stage1/c0.30-s1 --c 0.30 --steps 700 --lr 1e-3 --out runs/c0.30-s1.pt
from stage1/c0.30-s1 --c 0.22 --steps 1000 --lr 1.5e-3 --out runs/stage1/c0.22-s1.pt
from stage1/c0.22-s1 --c 0.22 --steps 1200 --lr 1.5e-3 --out runs/stage2/c0.22-s1.pt
from stage2/c0.22-s1 --c 0.22 --steps 800 --lr 1.5e-3 --once 0.5 --out runs/c0.22-s1.pt
from c0.22-s1 --c 0.14 --steps 1000 --lr 1.5e-3 --once 0.5 --out runs/c0.14-s1.pt
from c0.14-s1 --c 0.05 --steps 1200 --lr 1.5e-3 --once 0.5 --out runs/stage1/c0.05-s1.pt
from stage1/c0.05-s1 --c 0.05 --steps 800 --lr 1e-3 --once 0.5 --out runs/c0.05-s1.pt

for encoding in nope sinusoidal learned t5 alibi; do
  train --encoding $encoding --c 0.38 --steps 2000 --out runs/$encoding-s1.pt
done

cp runs/c0.38-s1.pt runs/rope-s1.pt

"$python" export.py runs/c*.pt
"$python" check.py runs/c*.pt
"$python" export_twins.py runs/{rope,nope,sinusoidal,learned,t5,alibi}-s1.pt
"$python" check_twins.py runs/{rope,nope,sinusoidal,learned,t5,alibi}-s1.pt

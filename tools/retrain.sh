#!/usr/bin/env bash
# Retrains the probe models and their twins, and repeats the measurements that depend on them: the
# scale of their nats, the bundled table of encodings, and every page with measured output.
#
# tools/retrain.sh [--pages]: without the training and the scale. PYTHON: an interpreter with
# training/requirements.txt. STEPS=4, in a copy of the repository: a rehearsal of every step (training/make.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != --pages ]; then
  bash training/make.sh
  npx tsx tools/loss-scale.ts
fi
npm run --silent build
measured=fixtures/probe-models/encodings-measured.json
node bin/rope-eval.js encodings --preset thorough --threads 2 --quiet -o "$measured" >/dev/null
node tools/pages.js
git status --short

#!/usr/bin/env bash
# Installs rope-eval beside the checkout, in the version that the Action was tagged with, and lets it
# judge the pull request. Everything else is in `rope-eval pull-request`.
set -euo pipefail

tool=${ROPE_EVAL_TOOL:-}
if [[ -z $tool ]]; then
  home=$(mktemp -d "${RUNNER_TEMP:-/tmp}/rope-eval.XXXXXX")
  version=$(node -p 'require(process.argv[1]).version' "$GITHUB_ACTION_PATH/package.json")
  # npm reads the .npmrc of the folder that it runs in, so not in that of the pull request.
  (cd -- "$home" && npm install --silent --no-audit --no-fund --ignore-scripts "rope-eval@$version")
  tool=$home/node_modules/rope-eval/bin/rope-eval.js
fi

# Non-empty lines of a variable.
lines() {
  sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d' <<<"$1"
}

# A value stands in the same word as its option, and paths behind --: none of them is an option.
options=("--base-ref=$ROPE_EVAL_BASE_REF" "--repository=$GITHUB_WORKSPACE")
options+=("--folder=${ROPE_EVAL_FOLDER:-.}")
[[ -n ${ROPE_EVAL_POLICY:-} ]] && options+=("--policy=$ROPE_EVAL_POLICY")
mapfile -t extra < <(lines "${ROPE_EVAL_ARGS:-}")
mapfile -t configs < <(lines "${ROPE_EVAL_CONFIG:-}")

cd -- "${RUNNER_TEMP:-/tmp}"
exec node "$tool" pull-request "${options[@]}" "${extra[@]}" -- "${configs[@]}"

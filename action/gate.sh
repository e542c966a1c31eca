#!/usr/bin/env bash
# Gates each config against its version on the target branch: the one step of action.yml. Exits
# with the highest exit code of the configs.
set -uo pipefail

base_ref=${ROPE_EVAL_BASE_REF:-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [[ -n ${ROPE_EVAL_COMMAND:-} ]]; then
  read -ra command <<<"$ROPE_EVAL_COMMAND"
else
  command=(npx --yes "rope-eval@${ROPE_EVAL_VERSION:-latest}")
fi

# Non-empty lines of a variable, into an array.
lines() {
  local -n into=$1
  mapfile -t into < <(sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d' <<<"$2")
}

options=()
[[ -n ${ROPE_EVAL_POLICY:-} ]] && options+=(--policy "$ROPE_EVAL_POLICY")
lines extra "${ROPE_EVAL_ARGS:-}"
options+=("${extra[@]}")

if [[ -n $base_ref ]]; then
  # Depth 1 is enough: only the tip's files are read.
  if ! git fetch --quiet --no-tags --depth=1 origin "$base_ref"; then
    echo "::error title=rope-eval::cannot fetch the target branch '$base_ref' (is this a checkout with a remote?)"
    exit 2
  fi
fi

lines configs "${ROPE_EVAL_CONFIG:-}"
if ((${#configs[@]} == 0)); then
  if [[ -z $base_ref ]]; then
    echo "::error title=rope-eval::no config given, and no target branch to find the changed ones with"
    exit 2
  fi
  mapfile -t -d '' configs < <(
    git diff --name-only -z --relative --diff-filter=AMR FETCH_HEAD HEAD -- 'config.json' '**/config.json'
  )
  if ((${#configs[@]} == 0)); then
    echo 'no config.json changed: nothing to gate'
    [[ -n ${GITHUB_OUTPUT:-} ]] && echo 'exit-code=0' >>"$GITHUB_OUTPUT"
    exit 0
  fi
fi

prefix=$(git rev-parse --show-prefix 2>/dev/null)
worst=0
for config in "${configs[@]}"; do
  base=()
  if [[ -n $base_ref ]]; then
    # Named as the branch and the path, since messages show it.
    before="$scratch/$base_ref/${config#./}"
    mkdir -p "$(dirname "$before")"
    if git show "FETCH_HEAD:$prefix${config#./}" >"$before" 2>/dev/null; then
      base=(--base "$before")
    else
      echo "$config is new on this branch: it gives its own reference"
    fi
  fi
  "${command[@]}" check "$config" "${base[@]}" "${options[@]}"
  code=$?
  ((code > worst)) && worst=$code
done

[[ -n ${GITHUB_OUTPUT:-} ]] && echo "exit-code=$worst" >>"$GITHUB_OUTPUT"
exit "$worst"

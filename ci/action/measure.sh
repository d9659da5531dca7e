#!/usr/bin/env bash
# Measures and judges: the outputs are `exit-code`, `verdict`, `report` (the folder) and `measured` (whether this run has left a run.json
# there). What was found does not fail this step.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/action/common.sh
source "$here/common.sh"

cd "$HIGHWATER_DIRECTORY"
out=$HIGHWATER_OUT
case $out in /* | [A-Za-z]:*) ;; *) out=$(here)/$out ;; esac

split_lines "${HIGHWATER_ARGS:-}"
arguments=("$HIGHWATER_VERB" "--out=$out" ${lines[@]+"${lines[@]}"})
if [[ -n ${HIGHWATER_BUDGETS:-} ]]; then arguments+=("--budgets=$HIGHWATER_BUDGETS"); fi
if [[ -n ${HIGHWATER_BASELINE:-} ]]; then arguments+=("--baseline=$HIGHWATER_BASELINE"); fi
split_lines "${HIGHWATER_COMMAND:-}"
case $HIGHWATER_VERB in
  run)
    if [[ ${#lines[@]} -gt 0 ]]; then fail "\`command\` is for the verb exec, and the verb is run"; fi
    if [[ -n ${HIGHWATER_RELEASE:-} ]]; then arguments+=("--release=$HIGHWATER_RELEASE"); fi
    ;;
  exec)
    if [[ -n ${HIGHWATER_RELEASE:-} ]]; then fail "\`release\` is for the verb run, and the verb is exec"; fi
    # Without a command, everything in highwater.toml is measured.
    if [[ ${#lines[@]} -gt 0 ]]; then arguments+=(-- "${lines[@]}"); fi
    ;;
  *) fail "\`verb\` is $HIGHWATER_VERB, and must be run or exec" ;;
esac

mkdir -p "$out"
# What is there afterwards is of this run.
rm -f "$out/run.json"
# What the measured program says is no command to the runner.
pause=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '::stop-commands::%s\n' "$pause"
code=0
"$HIGHWATER" "${arguments[@]}" 2> "$out/action.log" || code=$?
cat "$out/action.log"
printf '\n::%s::\n' "$pause"

measured=false verdict=error
if [[ -f $out/run.json ]]; then
  measured=true
  verdict=$(jq -r '.verdict // "error"' "$out/run.json")
fi
output exit-code "$code"
output verdict "$verdict"
output report "$out"
output measured "$measured"

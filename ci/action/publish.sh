#!/usr/bin/env bash
# The summary of the step and the annotations; the output `page` is a file with the summary, for the comment.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/action/common.sh
source "$here/common.sh"

# An annotation with its file named from the root of the repository, as GitHub wants it. Debug information names files from the root of the
# disk, of the workspace, or of their crate: the last is looked for, and stays as it is when several files could be meant.
in_repository() {
  local root=${GITHUB_WORKSPACE:-$PWD} line=$1 file found
  line=${line/ file="$root"\// file=}
  if [[ $line =~ ^::[a-z]+\ file=([^,]+), ]]; then
    file=${BASH_REMATCH[1]}
    if [[ ! -e $root/$file ]]; then
      found=$(git -C "$root" ls-files 2> /dev/null | end="/$file" awk '
        length($0) > length(ENVIRON["end"]) && substr($0, length($0) - length(ENVIRON["end"]) + 1) == ENVIRON["end"]
      ' || true)
      if [[ -n $found && $found != *$'\n'* ]]; then line=${line/ file="$file",/ file="$found",}; fi
    fi
  fi
  printf '%s\n' "$line"
}

page=$RUNNER_TEMP/highwater-summary.md
if [[ $HIGHWATER_MEASURED == true ]]; then
  "$HIGHWATER" report "$HIGHWATER_REPORT" --format summary > "$page"
  "$HIGHWATER" report "$HIGHWATER_REPORT" --format annotations | while IFS= read -r line; do
    in_repository "$line"
  done
else
  {
    printf '## Memory: could not be measured\n\nhighwater ended before it had a run to report. It said last:\n\n'
    # Indented it is a block of code, whatever signs are in it.
    tail -n 20 "$HIGHWATER_REPORT/action.log" | sed 's/^/    /'
  } > "$page"
  printf '::error title=highwater: could not be measured::%s\n' "$(data "$(tail -n 1 "$HIGHWATER_REPORT/action.log")")"
fi
cat "$page" >> "$GITHUB_STEP_SUMMARY"
output page "$page"

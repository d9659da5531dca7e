#!/usr/bin/env bash
# The summary of the step and the annotations; the output `page` is a file with the summary, for the comment.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/action/common.sh
source "$here/common.sh"

page=$RUNNER_TEMP/highwater-summary.md
if [[ $HIGHWATER_MEASURED == true ]]; then
  "$HIGHWATER" report "$HIGHWATER_REPORT" --format summary > "$page"
  # Debug information may name files from the root of the disk; GitHub wants them from the root of the repository.
  "$HIGHWATER" report "$HIGHWATER_REPORT" --format annotations | while IFS= read -r line; do
    printf '%s\n' "${line/ file="${GITHUB_WORKSPACE:-$PWD}"\// file=}"
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

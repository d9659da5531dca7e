# shellcheck shell=bash
# What the steps share. Bash 3.2, which macOS has, knows no mapfile and takes an empty array for an unset one.

# Sets an output of the step; its value is one line.
output() {
  local value=${2//$'\n'/ }
  printf '%s=%s\n' "$1" "${value//$'\r'/ }" >> "$GITHUB_OUTPUT"
}

# Ends the step with a sentence that GitHub shows on the run's page.
fail() {
  printf '::error title=highwater::%s\n' "$(data "$1")" >&2
  exit 2
}

# A text as the message of a workflow command.
data() {
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

# Reads a text into the array `lines`, without its empty lines.
split_lines() {
  lines=()
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    if [[ -n $line ]]; then lines+=("$line"); fi
  done <<< "$1"
}

# The current directory, as programs of Windows know it too.
here() {
  pwd -W 2> /dev/null || pwd
}

# The SHA-256 of standard input.
sha256() {
  if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

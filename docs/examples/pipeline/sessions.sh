#!/bin/sh
# The ten most frequent types of records in all sessions below HOME: five processes at one time.
set -eu
find "$HOME/.claude/projects" -name '*.jsonl' -exec cat {} + |
  grep -o '"type":"[a-z_-]*"' |
  sort |
  uniq -c |
  sort -rn |
  head -n 10

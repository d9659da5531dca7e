#!/usr/bin/env bash
# Ends as the gate did: worse and broken never look alike.
set -euo pipefail
case $HIGHWATER_EXIT_CODE in
  0) says='within budget' ;;
  1) says='a budget is broken' ;;
  3) says='could not be judged' ;;
  *) says='the tool or its input failed' ;;
esac
printf 'highwater: %s (%s, exit code %s)\n' "$says" "$HIGHWATER_VERDICT" "$HIGHWATER_EXIT_CODE"
exit "$HIGHWATER_EXIT_CODE"

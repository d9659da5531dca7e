#!/usr/bin/env bash
# The key by which corpora are cached: `key`, its `prefix`, and the folder `corpora`. Without a corpus, no output is set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/action/common.sh
source "$here/common.sh"

profile='' scale='' seed=1 corpora=target/highwater/corpora
if [[ $HIGHWATER_VERB == run ]]; then profile=heavy; fi
split_lines "${HIGHWATER_ARGS:-}"
take=
for line in ${lines[@]+"${lines[@]}"}; do
  name=${take:-${line%%=*}} value=$line
  if [[ -z $take ]]; then
    case $line in
      --profile=* | --corpus=* | --scale=* | --seed=* | --corpora=*) value=${line#*=} ;;
      --profile | --corpus | --scale | --seed | --corpora) take=$line && continue ;;
      # A person's own history is no corpus.
      --home | --home=*) exit 0 ;;
      *) continue ;;
    esac
  fi
  take=
  case $name in
    --profile | --corpus) profile=$value ;;
    --scale) scale=$value ;;
    --seed) seed=$value ;;
    --corpora) corpora=$value ;;
  esac
done
cd "$HIGHWATER_DIRECTORY"
named=
if [[ -z $profile && $HIGHWATER_VERB == exec && -z ${HIGHWATER_COMMAND:-} && -f highwater.toml ]]; then
  # Without a command everything in this file is measured, on its corpora.
  named=$(sed -n 's/^[[:space:]]*corpus[[:space:]]*=[[:space:]]*"\([^"]*\)".*/\1/p' highwater.toml | sort -u)
  profile=${named%%$'\n'*}
fi
if [[ -z $profile ]]; then exit 0; fi

# What is wrong with it is said by the measurement itself.
key=$("$HIGHWATER" corpus key "--seed=$seed" -- "$profile${scale:+@$scale}" 2> /dev/null) || exit 0
# Scenarios bring corpora of their own, by their arguments.
arguments=$(printf '%s' "${HIGHWATER_ARGS:-}$named" | sha256)
output prefix "highwater-corpora-$key-"
output key "highwater-corpora-$key-${arguments:0:16}"
case $corpora in /* | [A-Za-z]:*) ;; *) corpora=$(here)/$corpora ;; esac
output corpora "$corpora"

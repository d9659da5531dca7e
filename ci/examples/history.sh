#!/usr/bin/env bash
# Adds a run to the history on the branch `highwater-history` of origin: history.sh RUN [BRANCH]
#
# There lie history.jsonl (an export, which git keeps small and a person can read) and baseline/ (the run that was added last, with its sites).
# The checkout stays as it is. Two that add at the same time both do: who comes second starts again from what the first has left.
set -euo pipefail
report=$1 branch=${2:-main}
highwater=${HIGHWATER:-highwater}
name=refs/heads/highwater-history
desk=$(mktemp -d)
trap 'rm -rf "$desk"' EXIT
export GIT_AUTHOR_NAME=highwater GIT_AUTHOR_EMAIL=highwater@users.noreply.github.com
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL

for attempt in 1 2 3 4 5; do
  export GIT_INDEX_FILE=$desk/index-$attempt
  store=$desk/$attempt.db parent=()
  there=0
  git ls-remote --exit-code origin "$name" > /dev/null || there=$?
  case $there in
    0)
      git fetch --quiet --depth 1 origin "$name"
      parent=(-p "$(git rev-parse FETCH_HEAD)")
      git show FETCH_HEAD:history.jsonl > "$desk/history.jsonl"
      "$highwater" history import "$desk/history.jsonl" --store "$store"
      ;;
    # Not there yet. Anything else is no answer, and a history must not begin anew because of that.
    2) ;;
    *) exit "$there" ;;
  esac
  "$highwater" history add "$report" --branch "$branch" --store "$store"
  "$highwater" history prune --branch "$branch" --keep 500 --store "$store"
  "$highwater" history export "$desk/history.jsonl" --store "$store"

  git update-index --add --cacheinfo "100644,$(git hash-object -w "$desk/history.jsonl"),history.jsonl"
  for file in "$report"/run.json "$report"/sites/*.json; do
    if [[ -f $file ]]; then
      git update-index --add --cacheinfo "100644,$(git hash-object -w "$file"),baseline/${file#"$report"/}"
    fi
  done
  commit=$(git commit-tree "$(git write-tree)" ${parent[@]+"${parent[@]}"} -m "history: $(git rev-parse HEAD)")
  if git push --quiet origin "$commit:$name"; then exit 0; fi
done
printf 'the history was not added: %s attempts came too late\n' "$attempt" >&2
exit 1

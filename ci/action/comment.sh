#!/usr/bin/env bash
# One comment on the pull request, written once and updated from then on. Whether it can be written never decides the step.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/action/common.sh
source "$here/common.sh"

number=$(jq -r '.pull_request.number // empty' "$GITHUB_EVENT_PATH")
if [[ -z $number ]]; then
  printf 'not a pull request: no comment\n'
  exit 0
fi
# The name stands in a comment of HTML, which must not end early.
name=$(printf '%s' "$HIGHWATER_NAME" | tr -c 'A-Za-z0-9._-' '-' | sed 's/--*/-/g')
marker="<!-- highwater comment: $name -->"
api=${GITHUB_API_URL:-https://api.github.com}
answer=$RUNNER_TEMP/highwater-answer.json
body=$RUNNER_TEMP/highwater-comment.json
# GitHub takes 65,536 characters.
limit=60000

# Calls the API; the status is in `status`, and 000 where there was no answer. The token is on no command line.
call() {
  local method=$1 path=$2
  shift 2
  status=$(
    printf 'header = "Authorization: Bearer %s"\n' "$HIGHWATER_TOKEN" |
      curl --config - --silent --show-error --max-time 60 --request "$method" --output "$answer" --write-out '%{http_code}' \
        --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' "$@" -- "$api$path"
  ) || status=000
}

# Ends well, with a sentence, when the answer is not one of these.
expect() {
  local wanted
  for wanted in "$@"; do
    if [[ $status == "$wanted" ]]; then return; fi
  done
  case $status in
    401 | 403 | 404)
      printf '::notice title=highwater::the token may not write a comment here (HTTP %s), as is so for a pull request from a fork; the report is in the summary of this job and in its artifact\n' "$status"
      ;;
    *) printf '::warning title=highwater::the comment was not written: %s answered HTTP %s\n' "$(data "$api")" "$status" ;;
  esac
  exit 0
}

unreadable() {
  printf '::warning title=highwater::the comment was not written: what %s answered is no list of comments\n' "$(data "$api")"
  exit 0
}

# Only comments of the token's own owner are ours: others can write the same first line. The token of a workflow is a bot's and may not ask
# who it is.
call GET /user
# shellcheck disable=SC2016 # $me is jq's.
by_me='select(.user.login == $me)'
author='select(.user.type == "Bot")'
if [[ $status == 200 ]]; then author=$by_me; fi
me=$(jq -r '.login? // empty' "$answer" 2> /dev/null || true)

id='' page=1
while [[ -z $id ]]; do
  call GET "/repos/$GITHUB_REPOSITORY/issues/$number/comments?per_page=100&page=$page"
  expect 200
  id=$(jq -r --arg marker "$marker" --arg me "$me" "[.[] | $author | select((.body // \"\") | startswith(\$marker)) | .id] | first // empty" "$answer" 2> /dev/null) || unreadable
  if [[ $(jq length "$answer") -lt 100 ]]; then break; fi
  page=$((page + 1))
done

{
  printf '%s\n' "$marker"
  if [[ $(wc -c < "$HIGHWATER_PAGE") -gt $limit ]]; then
    head -c "$limit" "$HIGHWATER_PAGE"
    printf '\n\nThe rest is in the summary of the job.\n'
  else
    cat "$HIGHWATER_PAGE"
  fi
  printf '\n[The job](%s/%s/actions/runs/%s) has the whole report as an artifact.\n' \
    "${GITHUB_SERVER_URL:-https://github.com}" "$GITHUB_REPOSITORY" "${GITHUB_RUN_ID:-}"
} | jq -Rs '{ body: . }' > "$body"

if [[ -n $id ]]; then
  call PATCH "/repos/$GITHUB_REPOSITORY/issues/comments/$id" --data-binary "@$body"
  expect 200
  printf 'updated comment %s\n' "$id"
else
  call POST "/repos/$GITHUB_REPOSITORY/issues/$number/comments" --data-binary "@$body"
  expect 201
  printf 'wrote a comment\n'
fi

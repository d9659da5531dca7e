#!/usr/bin/env bash
# Decides where highwater comes from: the outputs are `how` (given, release or build) and, for a build, the `key` of its cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/action/common.sh
source "$here/common.sh"

build=${HIGHWATER_BUILD:-auto}
case $build in
  always) how=build ;;
  auto | never)
    if [[ -n ${HIGHWATER_BINARY:-} ]]; then
      how=given
    elif [[ -n ${HIGHWATER_VERSION:-} ]]; then
      how=release
    elif [[ $build == auto ]]; then
      how=build
    else
      fail "nothing says where highwater comes from: give \`version\` or \`binary\`, or allow a build with \`build: auto\`"
    fi
    ;;
  *) fail "\`build\` is $build, and must be auto, always or never" ;;
esac
output how "$how"

if [[ $how == build ]]; then
  # Of all that is built, and of the commit that the program is told it is of, so that another source is another program.
  digest=$(
    cd "$here/../.."
    find Cargo.toml Cargo.lock cli engine generators harness reports scenarios ci/budgets.toml -type f \
      -not -path '*/target/*' -print0 | LC_ALL=C sort -z | { xargs -0 cat && (git rev-parse HEAD 2> /dev/null || true); } | sha256
  )
  output key "highwater-${RUNNER_OS:-$(uname -s)}-${RUNNER_ARCH:-$(uname -m)}-$digest"
fi

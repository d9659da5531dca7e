#!/usr/bin/env bash
# Gets highwater: the output `binary` is its path.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/action/common.sh
source "$here/common.sh"

# One for each way, so that the cache of builds never gets what was fetched.
folder=$RUNNER_TEMP/highwater-bin-$HIGHWATER_HOW
ending=
case ${RUNNER_OS:-$(uname -s)} in Windows* | MINGW* | MSYS*) ending=.exe ;; esac
binary=$folder/highwater$ending

# The target triple of the asset for this machine.
target() {
  local arch
  case ${RUNNER_ARCH:-$(uname -m)} in
    X64 | x86_64 | amd64) arch=x86_64 ;;
    ARM64 | aarch64 | arm64) arch=aarch64 ;;
    *) fail "no release is made for the processor ${RUNNER_ARCH:-$(uname -m)}: use \`build: always\`" ;;
  esac
  case ${RUNNER_OS:-$(uname -s)} in
    Linux) printf '%s-unknown-linux-gnu' "$arch" ;;
    macOS | Darwin) printf '%s-apple-darwin' "$arch" ;;
    Windows* | MINGW* | MSYS*) printf '%s-pc-windows-msvc' "$arch" ;;
    *) fail "no release is made for ${RUNNER_OS:-$(uname -s)}: use \`build: always\`" ;;
  esac
}

fetch() {
  curl --fail --silent --show-error --location --retry 3 --output "$2" -- "$1" || fail "failed to fetch $1"
}

release() {
  local version=${HIGHWATER_VERSION#v}
  [[ $version =~ ^[0-9A-Za-z.+-]+$ ]] || fail "\`version\` is no version: $version"
  local repository=${HIGHWATER_REPOSITORY:-$GITHUB_REPOSITORY}
  local releases=${HIGHWATER_RELEASES:-${GITHUB_SERVER_URL:-https://github.com}/$repository/releases/download}
  local wanted found asset
  asset=highwater-$version-$(target).tar.gz
  mkdir -p "$folder"
  fetch "$releases/v$version/$asset" "$folder/$asset"
  wanted=${HIGHWATER_SHA256:-}
  if [[ -z $wanted ]]; then
    fetch "$releases/v$version/SHA256SUMS" "$folder/SHA256SUMS"
    wanted=$(awk -v asset="$asset" '$2 == asset || $2 == "*" asset { print $1 }' "$folder/SHA256SUMS")
  fi
  found=$(sha256 < "$folder/$asset")
  [[ -n $wanted && $wanted == "$found" ]] || fail "$asset has the SHA-256 $found, and ${wanted:-none} was expected: it is not used"
  # With a path, tar on Windows would take the letter of the drive for a machine's name.
  (cd "$folder" && tar -xzf "$asset" "highwater$ending")
}

case $HIGHWATER_HOW in
  given)
    binary=$HIGHWATER_BINARY
    case $binary in /* | [A-Za-z]:*) ;; *) binary=${GITHUB_WORKSPACE:-$PWD}/$binary ;; esac
    ;;
  release) release ;;
  build)
    if [[ ! -x $binary ]]; then
      (cd "$here/../.." && cargo build --locked --release --package highwater --target-dir "$RUNNER_TEMP/highwater-build")
      mkdir -p "$folder"
      cp "$RUNNER_TEMP/highwater-build/release/highwater$ending" "$binary"
    fi
    ;;
esac
[[ -x $binary ]] || fail "there is no program at $binary"
"$binary" --version
output binary "$binary"
# Steps that come after the action can call it by its name.
if [[ -n ${GITHUB_PATH:-} ]]; then dirname "$binary" >> "$GITHUB_PATH"; fi

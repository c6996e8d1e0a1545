#!/usr/bin/env bash
# Everything that can be known of ios/ with a Swift compiler and without a Mac: generate, swift build, swift test, the type check of the Apple-only half.
#
#   WALLET_LIBRARY=/path/libwallet_bindings.so WALLET_BINARY=/path/citizen-wallet tests/ios/all.sh [FOLDER]
#
# WALLET_LIBRARY  the phone's library; the generated Swift as for ios/generate.sh (a folder `swift` beside it, WALLET_SWIFT, WALLET_BINDGEN or cargo).
# WALLET_BINARY   the citizen-wallet binary of the same commit; without it nothing is run (tests that need it would be skipped).
# WALLET_CACHE    where the toolchain is kept when the machine has no `swift` (see with-swift.sh, needs root then); FOLDER keeps the build (default: a new one
#                 that is removed).
#
# Prints the figures as lines of a Markdown list at the end. Ends with 0 when all of it holds, 1 when something does not, 3 for a wrong call, 4 without Swift.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -f "${WALLET_LIBRARY:-}" ] || { echo "all.sh: set WALLET_LIBRARY to libwallet_bindings.so" >&2; exit 3; }
[ -x "${WALLET_BINARY:-}" ] || { echo "all.sh: set WALLET_BINARY to the citizen-wallet binary" >&2; exit 3; }
if [ $# -gt 0 ]; then
  mkdir -p "$1"; build="$(cd "$1" && pwd)"
else
  build="$(mktemp -d)"
fi
seen="$(mktemp -d)"
trap 'rm -rf "$seen"; [ $# -gt 0 ] || rm -rf "$build"' EXIT

started=$(date +%s)
./ios/generate.sh
# The binary is copied, since a toolchain in a folder of its own sees only this tree and the folders it is told.
cp "$WALLET_BINARY" "$seen/citizen-wallet"
if command -v swift >/dev/null; then
  swift() { (cd ios && WALLET_BINARY="$seen/citizen-wallet" command swift "$@"); }
  check() { tests/ios/typecheck.sh; }
else
  [ "$(id -u)" = 0 ] || { echo "all.sh: there is no swift, and only root can use one in a folder of its own" >&2; exit 4; }
  inside() { WALLET_SEEN="$seen $build ${WALLET_SEEN:-}" WALLET_BINARY="$seen/citizen-wallet" tests/ios/with-swift.sh "$@"; }
  swift() { inside bash -c 'cd ios && exec swift "$@"' swift "$@"; }
  check() { inside tests/ios/typecheck.sh; }
fi

status=0
figures=()
part() { # part NAME COMMAND...
  local name="$1" begun; begun=$(date +%s); shift
  printf '\n== [%4ss] %s\n' "$((begun - started))" "$name"
  if "$@" 2>&1 | tee "$build/$name.log"; then
    figures+=("- $name: holds, $(($(date +%s) - begun)) s$(told "$name" "$build/$name.log")")
  else
    figures+=("- **$name: does not hold**, $(($(date +%s) - begun)) s$(told "$name" "$build/$name.log")")
    status=1
    return 1
  fi
}
told() { # told NAME LOG: what the log counts
  case "$1" in
    version) printf ', %s' "$(grep -oE 'Swift version [0-9.]+' "$2" | head -1 || true)" ;;
    build) printf ', %s warnings of ours' "$(grep -cE '(ios/(Sources|Tests|App)|tests)/.*: warning:' "$2" || true)" ;;
    test) printf ', %s' "$(grep -oE 'Executed [0-9]+ tests?, with .*[0-9]+ failures?' "$2" | tail -1 || true)" ;;
    typecheck) printf ', %s files' "$(sed -n 's/^typecheck: .*, \([0-9]*\) files$/\1/p' "$2" | paste -sd+ | bc 2>/dev/null || true)" ;;
  esac
}
part version swift --version || true
# In a folder that was kept, tests of an earlier build would still run.
rm -f "$build/test.log"
if part build swift build --build-path "$build" --build-tests; then
  part test swift test --build-path "$build" --skip-build || true
else
  figures+=("- **test: not run, there is no build**")
fi
part typecheck check || true

# A test that was skipped did not run.
if [ -f "$build/test.log" ] && grep -q "Test skipped\|skipped (" "$build/test.log"; then figures+=("- **tests were skipped**"); status=1; fi
printf '\n## ios\n\n'
printf '%s\n' "${figures[@]}"
exit "$status"

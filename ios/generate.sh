#!/usr/bin/env bash
# Fills ios/Generated for `swift build` and `swift test` on a machine without Xcode (on a Mac: xcframework.sh).
#
#   WALLET_LIBRARY=/path/libwallet_bindings.so ./generate.sh
#
# WALLET_LIBRARY  the phone's library (cargo build -p wallet-bindings); needed.
# WALLET_SWIFT    a folder with the files UniFFI wrote from that very library (CitizenWalletCore.swift, CitizenWalletCoreFFI.h): nothing is
#                 generated then, and neither Rust nor a generator is needed. A folder `swift` beside the library is taken by itself.
# WALLET_BINDGEN  the generator (`uniffi-bindgen` of this workspace, feature `bindgen`); without it and without WALLET_SWIFT cargo builds one.
#
# Library and Swift must be of one build: UniFFI compares checksums at the first call and stops a program in which they differ.
set -euo pipefail
cd "$(dirname "$0")"

die() { printf 'generate: %s\n' "$*" >&2; exit 1; }

[ -n "${WALLET_LIBRARY:-}" ] || die "set WALLET_LIBRARY to the path of libwallet_bindings.so"
[ -f "$WALLET_LIBRARY" ] || die "there is no file $WALLET_LIBRARY"
library="$(cd "$(dirname "$WALLET_LIBRARY")" && pwd)/$(basename "$WALLET_LIBRARY")"
beside="$(dirname "$library")/swift"

made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
if [ -n "${WALLET_SWIFT:-}" ]; then
  source="$WALLET_SWIFT"
elif [ -n "${WALLET_BINDGEN:-}" ]; then
  "$WALLET_BINDGEN" generate "$library" --language swift --out-dir "$made" --no-format
  source="$made"
elif [ -f "$beside/CitizenWalletCore.swift" ]; then
  source="$beside"
elif command -v cargo >/dev/null; then
  (cd .. && cargo run --locked --quiet -p wallet-bindings --features bindgen --bin uniffi-bindgen -- generate "$library" --language swift --out-dir "$made" --no-format)
  source="$made"
else
  die "no generated Swift: set WALLET_SWIFT to its folder, WALLET_BINDGEN to the generator, or install Rust"
fi
for file in CitizenWalletCore.swift CitizenWalletCoreFFI.h; do
  [ -f "$source/$file" ] || die "$source has no $file"
done

rm -rf Generated/CitizenWalletCore Generated/CitizenWalletCoreFFI Generated/lib
mkdir -p Generated/CitizenWalletCore Generated/CitizenWalletCoreFFI Generated/lib
cp "$source/CitizenWalletCore.swift" Generated/CitizenWalletCore/
cp "$source/CitizenWalletCoreFFI.h" Generated/CitizenWalletCoreFFI/
cp "$library" Generated/lib/libwallet_bindings.so
# UniFFI's own module map names Darwin's modules; this one is right everywhere.
cat >Generated/CitizenWalletCoreFFI/module.modulemap <<'MAP'
module CitizenWalletCoreFFI {
    header "CitizenWalletCoreFFI.h"
    export *
}
MAP
echo "generate: ios/Generated is ready; now: swift build, swift test"

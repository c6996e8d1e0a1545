#!/usr/bin/env bash
# Type-checks the Apple-only half of ios/ (adapters, screens, the app) on Linux with a Swift 6 toolchain, over stand-ins of Apple's frameworks.
#
#   ios/generate.sh first, then: tests/ios/typecheck.sh
#
# The stand-ins know what we use and how we believe Apple declares it: this finds our own slips (names, labels, types, isolation), not a wrong belief.
# What bridges between Swift and Core Foundation exists on Apple's systems only; those casts are replaced before the check.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v swiftc >/dev/null || { echo "typecheck: no swiftc" >&2; exit 4; }
generated="$PWD/ios/Generated"
[ -f "$generated/CitizenWalletCore/CitizenWalletCore.swift" ] || { echo "typecheck: run ios/generate.sh first" >&2; exit 3; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/m" "$work/apple"
flags=(-I "$work/m" -module-cache-path "$work/cache" -swift-version 5 -parse-as-library -Xcc "-fmodule-map-file=$generated/CitizenWalletCoreFFI/module.modulemap")

module() { # module NAME FILES...
  local name="$1"; shift
  swiftc "${flags[@]}" -suppress-warnings -emit-module -emit-module-path "$work/m/$name.swiftmodule" -module-name "$name" "$@"
}
check() { # check NAME FILES...: no error and no warning
  local name="$1"; shift
  if ! swiftc "${flags[@]}" -typecheck -warnings-as-errors -module-name "$name" "$@"; then echo "typecheck: $name does not hold" >&2; exit 1; fi
  echo "typecheck: $name, $# files"
}

for stand_in in Combine UniformTypeIdentifiers SwiftUI UIKit PhotosUI AVFoundation CoreNFC Darwin os DeviceCheck CryptoKit Security LocalAuthentication; do
  module "$stand_in" "tests/ios/stand-ins/$stand_in.swift"
done
module CitizenWalletCore "$generated/CitizenWalletCore/CitizenWalletCore.swift"
check CitizenWallet ios/Sources/CitizenWallet/*.swift
module CitizenWallet ios/Sources/CitizenWallet/*.swift

for file in ios/Sources/CitizenWalletApple/*.swift; do
  sed -E 's/#if os\(iOS\) && canImport/#if canImport/
s/CryptoKit\.P256/P256/
s/\) as Data\? else/) as CFDX else/
s/([A-Za-z]+) as CFData/cf(\1)/g
s/(\[.*\] as \[CFString: Any\]) as CFDictionary/cf(\1)/
s/([A-Za-z]+) as CFDictionary/cf(\1)/g
s/SecKey(CreateSignature|CreateEncryptedData|CreateDecryptedData|CopyKeyExchangeResult|CopyExternalRepresentation)\(/un(SecKey\1(/
s/\) as CFDX else/)) else/
s/kSecAttrApplicationTag as String/"tag"/
s/found as\? \[\[String: Any\]\]/nil as [[String: Any]]?/' "$file" >"$work/apple/$(basename "$file")"
done
check CitizenWalletApple "$work"/apple/*.swift
module CitizenWalletApple "$work"/apple/*.swift
check CitizenWalletUI ios/Sources/CitizenWalletUI/*.swift
module CitizenWalletUI ios/Sources/CitizenWalletUI/*.swift
check App ios/App/*.swift

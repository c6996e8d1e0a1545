#!/usr/bin/env bash
# Builds Generated/CitizenWalletCoreFFI.xcframework and the Swift half, on a Mac with Xcode and Rust (rustup).
#
#   ./xcframework.sh
#
# Slices: iPhone (arm64), simulator (arm64 and x86_64), Mac (arm64 and x86_64; for `swift test`).
#
# Each slice is a DYNAMIC framework whose only exported symbols are those of the border. An app that also links the system's SQLite must not catch the
# engine's calls: they would go to an SQLite without encryption, which ignores the key and writes in plain text. A cdylib of Rust exports nothing but
# the border, and inside a dynamic library the engine's own calls are bound when the library is linked. The check below makes sure of both.
set -euo pipefail
cd "$(dirname "$0")"

die() { printf 'xcframework: %s\n' "$*" >&2; exit 1; }
[ "$(uname -s)" = Darwin ] || die "needs a Mac with Xcode; on Linux use generate.sh"
command -v cargo >/dev/null || die "needs Rust: https://rustup.rs"
command -v xcodebuild >/dev/null || die "needs Xcode"

name=CitizenWalletCoreFFI
profile="${WALLET_PROFILE:-mobile}"
ios=15.0
mac=12.0
target="${CARGO_TARGET_DIR:-$PWD/../target}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

build() { # build TRIPLE: the library of one target
  rustup target add "$1" >/dev/null
  (cd .. && IPHONEOS_DEPLOYMENT_TARGET=$ios MACOSX_DEPLOYMENT_TARGET=$mac CARGO_TARGET_DIR="$target" \
    cargo build --locked --profile "$profile" -p wallet-bindings --lib --target "$1")
}

library() { echo "$target/$1/$profile/libwallet_bindings.dylib"; }

framework() { # framework FOLDER MINIMUM PLATFORM TRIPLE...: one framework out of one or two libraries
  local folder="$1" minimum="$2" platform="$3"; shift 3
  local inputs=() triple
  for triple in "$@"; do inputs+=("$(library "$triple")"); done
  local root="$work/$folder/$name.framework" inside resources
  if [ "$platform" = MacOSX ]; then
    inside="$root/Versions/A"; resources="$inside/Resources"
  else
    inside="$root"; resources="$root"
  fi
  mkdir -p "$inside/Headers" "$inside/Modules" "$resources"
  lipo -create "${inputs[@]}" -output "$inside/$name"
  cp "$work/swift/$name.h" "$inside/Headers/"
  printf 'framework module %s {\n    header "%s.h"\n    export *\n}\n' "$name" "$name" >"$inside/Modules/module.modulemap"
  cp App/PrivacyInfo.xcprivacy "$resources/"
  cat >"$resources/Info.plist" <<PLIST
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>CFBundleExecutable</key><string>$name</string>
<key>CFBundleIdentifier</key><string>vn.citizenwallet.core</string>
<key>CFBundleInfoDictionaryVersion</key><string>6.0</string>
<key>CFBundleName</key><string>$name</string>
<key>CFBundlePackageType</key><string>FMWK</string>
<key>CFBundleShortVersionString</key><string>1.0</string>
<key>CFBundleVersion</key><string>1</string>
<key>CFBundleSupportedPlatforms</key><array><string>$platform</string></array>
<key>$([ "$platform" = MacOSX ] && echo LSMinimumSystemVersion || echo MinimumOSVersion)</key><string>$minimum</string>
</dict></plist>
PLIST
  if [ "$platform" = MacOSX ]; then
    install_name_tool -id "@rpath/$name.framework/Versions/A/$name" "$inside/$name"
    (cd "$root" && ln -s A Versions/Current && for part in "$name" Headers Modules Resources; do ln -s "Versions/Current/$part" "$part"; done)
  else
    install_name_tool -id "@rpath/$name.framework/$name" "$inside/$name"
  fi
  # Neither offered to others nor asked of others. (By way of files: a `grep -q` that ends early would make a pipe fail, and so the question.)
  nm -gU "$inside/$name" >"$work/offered"
  nm -gu "$inside/$name" >"$work/asked"
  [ -s "$work/offered" ] || die "$folder exports nothing"
  if grep -q ' _sqlite3_' "$work/offered"; then die "$folder exports SQLite"; fi
  if grep -q '_sqlite3_' "$work/asked"; then die "$folder takes SQLite from the system"; fi
  strip -x "$inside/$name"
  codesign --force --sign - "$inside/$name"
}

for triple in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do build "$triple"; done

# The Swift half, out of the very library that is packed.
(cd .. && CARGO_TARGET_DIR="$target" cargo run --locked --quiet -p wallet-bindings --features bindgen --bin uniffi-bindgen -- \
  generate "$(library aarch64-apple-darwin)" --language swift --out-dir "$work/swift" --no-format)

framework ios $ios iPhoneOS aarch64-apple-ios
framework simulator $ios iPhoneSimulator aarch64-apple-ios-sim x86_64-apple-ios
framework mac $mac MacOSX aarch64-apple-darwin x86_64-apple-darwin

rm -rf Generated && mkdir -p Generated/CitizenWalletCore
cp "$work/swift/CitizenWalletCore.swift" Generated/CitizenWalletCore/
xcodebuild -create-xcframework \
  -framework "$work/ios/$name.framework" -framework "$work/simulator/$name.framework" -framework "$work/mac/$name.framework" \
  -output "Generated/$name.xcframework"
echo "xcframework: ios/Generated is ready; now: swift test, or open App/CitizenWallet.xcodeproj"

#!/usr/bin/env bash
# Puts on a Debian 12 machine what building and testing the Android side needs; nothing of Google's, no Android SDK, no NDK.
# As root it installs what is missing, otherwise it names it and fails. Quick when everything is there.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
# A Java runtime alone has no keytool-signed builds to offer: ask for the compiler. 17 is what R8, Kotlin and Robolectric were tried with.
java_version() { javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'; }
[ "$(java_version || true)" = "" ] || [ "$(java_version)" -ge 17 ] || missing+=(openjdk-17-jdk-headless)
need javac openjdk-17-jdk-headless
need keytool openjdk-17-jdk-headless
need mvn maven
need aapt2 aapt
need apksigner apksigner
need zipalign zipalign
need python3 python3
if [ ${#missing[@]} -gt 0 ]; then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    printf 'android: these Debian packages are missing: %s\nInstall them: apt-get install %s\n' "${missing[*]}" "${missing[*]}" >&2
    exit 1
  fi
  echo "android: installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
printf 'android: javac %s, %s, %s, apksigner %s\n' "$(java_version)" "$(mvn --version 2>/dev/null | sed -n 's/\x1b\[[0-9;]*m//g;s/^Apache \(Maven [0-9.]*\).*/\1/p')" \
  "$(aapt2 version 2>&1 | sed 's/Android Asset Packaging Tool (aapt)/aapt2/')" "$(apksigner --version)"

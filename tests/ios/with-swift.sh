#!/usr/bin/env bash
# Runs a command with Swift 6 on a Debian machine that has none: tests/ios/with-swift.sh COMMAND...
#
# Debian 13 packs the toolchain (`swiftlang`). Its packages are unpacked into a folder of their own, which the command sees as its root with this tree in it;
# nothing is installed on the machine. Needs root, apt and 3.5 GB; WALLET_CACHE names a folder that keeps it, else it lies in target/. About 580 MB come from Debian
# the first time.
#
#   WALLET_LIBRARY=... ios/generate.sh
#   tests/ios/with-swift.sh bash -c 'cd ios && WALLET_BINARY=... swift test'      # paths below this tree or below WALLET_SEEN
#   tests/ios/with-swift.sh tests/ios/typecheck.sh
set -euo pipefail
tree="$(cd "$(dirname "$0")/../.." && pwd)"
home="${WALLET_CACHE:-$tree/target}/swift"
root="$home/root"
[ "$(id -u)" = 0 ] || { echo "with-swift: needs root" >&2; exit 4; }
[ $# -gt 0 ] || { echo "usage: with-swift.sh COMMAND..." >&2; exit 3; }

if [ ! -f "$home/ready" ]; then
  echo "with-swift: fetching Debian's Swift toolchain" >&2
  rm -rf "$home" && mkdir -p "$home"/{lists/partial,cache/archives/partial,state,root,user}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >"$home/sources.list"
  : >"$home/status"
  apt=(apt-get -qq -o "Dir::Etc::sourcelist=$home/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State=$home/state" -o "Dir::State::lists=$home/lists"
    -o "Dir::State::status=$home/status" -o "Dir::Cache=$home/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update
  "${apt[@]}" install -y --download-only --no-install-recommends swiftlang swiftlang-dev libswiftlang bash coreutils dash sed grep findutils libc6-dev \
    libstdc++-14-dev gcc binutils >/dev/null
  for package in "$home"/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
  rm -rf "$home/cache" "$home/lists"
  mkdir -p "$root"/{proc,dev,tmp,root,etc}
  echo 'root:x:0:0:root:/root:/bin/bash' >"$root/etc/passwd"
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
  touch "$home/ready"
fi

export SWIFT_ROOT="$root" SWIFT_TREE="$tree" SWIFT_USER="$home/user" SWIFT_SEEN="${WALLET_SEEN:-}" SWIFT_CWD="$PWD"
exec unshare -m bash -c '
  set -e
  for seen in "$SWIFT_TREE" "$SWIFT_USER" $SWIFT_SEEN; do mkdir -p "$SWIFT_ROOT$seen"; mount --rbind "$seen" "$SWIFT_ROOT$seen"; done
  mount -t proc proc "$SWIFT_ROOT/proc"
  mount --rbind /dev "$SWIFT_ROOT/dev"
  exec chroot "$SWIFT_ROOT" /usr/bin/env -i HOME="$SWIFT_USER" LANG=C.UTF-8 PATH=/usr/libexec/swift/bin:/usr/bin:/bin \
    ${WALLET_BINARY:+WALLET_BINARY="$WALLET_BINARY"} bash -c "cd \"$SWIFT_CWD\" && exec \"\$@\"" with-swift "$@"
' with-swift "$@"

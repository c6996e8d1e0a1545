#!/usr/bin/env bash
# `./deep chroot [WHAT]`: the README's two commands on a machine that has only Rust and build-essential.
#
# Makes a Debian in a temporary folder, puts a C compiler and this machine's Rust toolchain into it and nothing else, copies a clean clone of the
# last commit and the test data, and runs `cargo run --release -- demo` and `./test` in there. Prints the minutes of each. Needs root.
#
#   WHAT            demo, test or all (all)
#   CHROOT_PARENT   where the folder is made (TMPDIR or /tmp); about 12 GB
#   CHROOT_SUITE    the Debian (bookworm)
#   CHROOT_KEEP     keep the folder (its mounts go) and say where it is, to look into what failed
#   WALLET_VECTORS  test data of others, copied in when set
set -euo pipefail
what="${1:-all}"
case "$what" in demo | test | all) ;; *) sed -n '2,13p' "$0"; exit 3 ;; esac
[ "$(id -u)" = 0 ] || { echo "chroot: needs root (debootstrap, chroot)" >&2; exit 4; }

# Mounts of a namespace of its own are gone when this script is, however it ends.
if [ -z "${CHROOT_INSIDE:-}" ]; then
  exec env CHROOT_INSIDE=1 unshare --mount --propagation private bash "$0" "$@"
fi

tree="$(cd "$(dirname "$0")/../.." && pwd)"
suite="${CHROOT_SUITE:-bookworm}"
command -v debootstrap >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap; }
# The mirror that this machine itself uses.
mirror="$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -v security | head -1 | tr -d ' ' || true)"
mirror="${mirror:-http://deb.debian.org/debian}"

root="$(mktemp -d "${CHROOT_PARENT:-${TMPDIR:-/tmp}}/wallet-chroot.XXXXXX")"
clean() {
  cd /
  for mounted in dev/shm dev/pts dev sys proc; do umount "$root/$mounted" 2>/dev/null || umount -l "$root/$mounted" 2>/dev/null || true; done
  if [ -n "${CHROOT_KEEP:-}" ]; then echo "chroot: $root is kept" >&2; return; fi
  if grep -q " $root/" /proc/self/mounts; then echo "chroot: $root has mounts left; not removed" >&2; else rm -rf --one-file-system "$root"; fi
}
trap clean EXIT

say() { printf '\n== [%4ss] %s\n' "$SECONDS" "$*"; }
say "a Debian $suite from $mirror"
debootstrap --variant=minbase --include=build-essential "$suite" "$root" "$mirror" >"$root.log" 2>&1 || { tail -20 "$root.log" >&2; exit 4; }
rm -f "$root.log"

say "Rust, the tree, the test data"
sysroot="$(cd "$tree" && rustc --print sysroot)"
mkdir -p "$root/opt/rust" "$root/root"
(cd "$sysroot" && tar -c --exclude=share/doc --exclude=share/man --exclude=lib/rustlib/src --exclude='*miri*' .) | tar -x -C "$root/opt/rust"
git clone -q --no-hardlinks "$tree" "$root/root/citizen-wallet"
[ -z "${WALLET_VECTORS:-}" ] || cp -a "$(realpath "$WALLET_VECTORS")" "$root/root/vectors"
# The way to the network: names, and the authorities that this machine trusts (a bare Debian has none, and rustup would have brought them).
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# Every installed Debian has this file; a bare debootstrap does not.
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
mkdir -p "$root/etc/ssl/certs"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
# Those that an administrator added here: a package that comes later makes the file above anew, from this folder too.
mkdir -p "$root/usr/local/share" && cp -rL /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null || true
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

say "what is in there"
settings=(HOME=/root PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CARGO_TERM_COLOR=never
  SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt)
[ -z "${WALLET_VECTORS:-}" ] || settings+=(WALLET_VECTORS=/root/vectors)
inside() { chroot "$root" env -i "${settings[@]}" bash -euc "cd /root/citizen-wallet && $1"; }
inside 'cargo --version; cc --version | head -1; for tool in python3 node git curl pkg-config cmake; do command -v $tool || echo "no $tool"; done'

minutes() { awk -v s="$1" 'BEGIN { printf "%.1f", s / 60 }'; }
declare -a took=()
measured() {
  say "$1"
  local begun=$SECONDS status=0
  inside "$2" || status=$?
  took+=("$1: exit $status, $(minutes $((SECONDS - begun))) minutes")
  [ "$status" = 0 ] || failed=1
}
failed=0
[ "$what" = test ] || measured "cargo run --release -- demo" 'cargo run --release -- demo'
[ "$what" = demo ] || measured "./test" './test'
say "done"
printf '%s\n' "${took[@]}"
if [ -n "${CHROOT_REPORT:-}" ]; then printf -- '- %s\n' "${took[@]}" >>"$CHROOT_REPORT"; fi
exit "$failed"

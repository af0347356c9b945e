#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Installs what scripts/dist.sh has made for this machine in a Debian of its own (debootstrap: root and a mirror), starts
# the binaries there as their services do, updates, removes and purges the packages. Nothing may be left.
#
# MODICUM_DIST   the folder of the packages (default: dist)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

[[ $(id -u) -eq 0 ]] || die "installing packages in a Debian of its own needs root"
have debootstrap || die "debootstrap is missing: apt-get install debootstrap"
dist=$(realpath -m "${MODICUM_DIST:-dist}")
architecture=$(dpkg --print-architecture)
packages=("$dist"/modicum{,-node}_*_"$architecture".deb)
[[ -f ${packages[0]} && -f ${packages[1]} && ${#packages[@]} -eq 2 ]] ||
	die "one package each for agents and node is wanted in $dist: run 'make dist'"

(cd "$dist" && sha256sum --quiet --check SHA256SUMS) || die "the checksums in $dist/SHA256SUMS are wrong"

root=$(mktemp -d)
node=
# shellcheck disable=SC2317 # Called by the trap.
cleanup() {
	[[ -z $node ]] || kill "$node" 2>/dev/null || true
	umount "$root/proc" 2>/dev/null || true
	rm -rf --one-file-system "$root"
}
trap cleanup EXIT
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
say "a Debian of its own"
debootstrap --variant=minbase --include=adduser,e2fsprogs,systemd,ca-certificates \
	"${MODICUM_DEBIAN_SUITE:-bookworm}" "$root" ${MODICUM_DEBIAN_MIRROR:+"$MODICUM_DEBIAN_MIRROR"} >"$root.log" ||
	die "debootstrap failed: see $root.log"
rm -f "$root.log"
mount -t proc proc "$root/proc"
# Everything that there is, but what dpkg itself writes.
state() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log \) -prune -o -print |
		LC_ALL=C sort && cat etc/passwd etc/group)
}
state >"$root/tmp/before"
cp "${packages[@]}" "$root/tmp"
files=("${packages[@]/#*\///tmp/}")

say "install"
inside dpkg -i "${files[@]}" >/dev/null
inside modicum --version
inside modicum-node --version
for user in modicum modicum-node; do
	inside getent passwd "$user" | grep -q nologin || die "the user $user is missing, or may log in"
done
units=(provider mediator solver directory node)
units=("${units[@]/#/modicum-}")
inside systemd-analyze verify "${units[@]/%/.service}" || die "systemd does not take the units"
inside modicum --config /etc/modicum/modicum.toml config check >/dev/null
# The files for services are for shells, too.
for role in provider mediator solver directory; do
	# shellcheck disable=SC2016 # The shell inside expands it.
	inside sh -c 'set -ae; . /etc/modicum/$1.env; mkdir -p /var/lib/modicum/$1; modicum key generate; modicum key inspect' sh "$role" >"$root/tmp/key"
	grep -q "^account  *5" "$root/tmp/key" || die "no key for the $role: $(cat "$root/tmp/key")"
done
[[ -s $root/usr/share/man/man1/modicum-provider-run.1.gz && -s $root/usr/share/bash-completion/completions/modicum ]] ||
	die "manual or completions are missing"

say "the node as its service starts it"
install -d -o "$(stat -c %u "$root/tmp")" "$root/var/lib/modicum-node"
chroot "$root" chown modicum-node: /var/lib/modicum-node
# shellcheck disable=SC2016 # The shell inside expands it.
chroot --userspec=modicum-node:modicum-node "$root" env -i PATH=/usr/bin:/bin sh -c 'set -e
	sed -n "s/^ExecStartPre=//p" /lib/systemd/system/modicum-node.service >/tmp/pre.sh
	sh /tmp/pre.sh
	. /etc/modicum/node.env
	exec /usr/bin/modicum-node --chain dev --base-path /var/lib/modicum-node --node-key-file /var/lib/modicum-node/node.key \
		--no-telemetry --rpc-port 39955 --port 33955 --no-prometheus $MODICUM_NODE_ARGUMENTS' >"$root/tmp/node.log" 2>&1 &
node=$!
for ((i = 0; ; i++)); do
	inside modicum chain status --endpoint ws://127.0.0.1:39955 >"$root/tmp/status" 2>&1 && break
	kill -0 "$node" 2>/dev/null || die "the node ended: $(tail -n 3 "$root/tmp/node.log")"
	((i < 60)) || die "the node does not answer: $(tail -n 3 "$root/tmp/node.log")"
	sleep 1
done
kill "$node"
wait "$node" || true
node=

say "update"
echo '# mine' >>"$root/etc/modicum/modicum.toml"
inside dpkg -i --force-confold "${files[@]}" >/dev/null
grep -q '^# mine' "$root/etc/modicum/modicum.toml" || die "an update has overwritten settings"
[[ -s $root/var/lib/modicum/provider/key ]] || die "an update has removed a key"

say "remove"
inside dpkg -r modicum modicum-node >/dev/null
[[ ! -e $root/usr/bin/modicum && -s $root/var/lib/modicum/provider/key && -s $root/etc/modicum/node.env ]] ||
	die "a removal must leave keys and settings, and nothing else"
inside dpkg -i "${files[@]}" >/dev/null

say "purge"
inside dpkg -P modicum modicum-node >/dev/null 2>"$root/tmp/purge"
[[ $(find "$root/var/backups" -name 'modicum-*.key' -perm 600 | wc -l) -eq 4 ]] || die "a purge has lost keys"
rm -f "$root"/var/backups/modicum-*.key
state >"$root/tmp/after"
left=$(diff "$root/tmp/before" "$root/tmp/after" | grep '^[<>]' | grep -v ' ./var/lib/apt\| ./var/backups\|-$' || true)
[[ -z $left ]] || die "a purge has left or taken:
$left"
say "the packages install, update and purge as they should"

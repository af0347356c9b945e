#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Installs what scripts/dist.sh has made for this machine in a Debian of its own (debootstrap: root and a mirror), boots
# it in a container, runs the services, updates, removes and purges the packages. Nothing may be left.
#
# MODICUM_DIST   the folder of the packages (default: dist)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

[[ $(id -u) -eq 0 ]] || die "installing packages in a Debian of its own needs root"
for tool in debootstrap systemd-nspawn nsenter; do
	have "$tool" || die "$tool is missing: apt-get install debootstrap systemd-container util-linux"
done
dist=$(realpath -m "${MODICUM_DIST:-dist}")
architecture=$(dpkg --print-architecture)
packages=("$dist"/modicum{,-node}_*_"$architecture".deb)
[[ -f ${packages[0]} && -f ${packages[1]} && ${#packages[@]} -eq 2 ]] ||
	die "one package each for agents and node is wanted in $dist: run 'make dist'"

(cd "$dist" && sha256sum --quiet --check SHA256SUMS) || die "the checksums in $dist/SHA256SUMS are wrong"

# Readable by all, as a root folder is: not every service in it is root.
root=$(mktemp -d)
chmod 755 "$root"
container=
# shellcheck disable=SC2317 # Called by the trap.
cleanup() {
	[[ -z $container ]] || kill "$container" 2>/dev/null || true
	wait
	rm -rf --one-file-system "$root"
}
trap cleanup EXIT
# inside CMD…: in the Debian of its own, which runs.
inside() { nsenter --target "$leader" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
# until_true WHAT CMD…: waits until CMD succeeds.
until_true() {
	local what=$1
	shift
	for ((i = 0; i < 120; i++)); do
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.5
	done
	inside journalctl --no-pager -n 30 -o cat >&2 || true
	die "$what did not come"
}
say "a Debian of its own"
debootstrap --variant=minbase --include=adduser,ca-certificates,curl,dbus,e2fsprogs,procps,systemd,systemd-sysv \
	"${MODICUM_DEBIAN_SUITE:-bookworm}" "$root" ${MODICUM_DEBIAN_MIRROR:+"$MODICUM_DEBIAN_MIRROR"} >"$root.log" ||
	die "debootstrap failed: see $root.log"
rm -f "$root.log"
systemd-nspawn --quiet --directory "$root" --boot --register=no --keep-unit --private-network --console=pipe </dev/null >/dev/null 2>&1 &
container=$!
until_true "a container" pgrep --parent "$container"
leader=$(pgrep --parent "$container")
until_true "a booted Debian" inside systemctl is-system-running
# Everything that there is, but what dpkg itself writes.
state() {
	(cd "$root" && find . -xdev \( -path ./tmp -o -path ./root -o -path ./var/lib/dpkg -o -path ./var/lib/systemd -o -path ./var/tmp -o -path ./var/cache -o -path ./var/log \) -prune -o -print |
		LC_ALL=C sort && cat etc/passwd etc/group)
}
state >"$root/root/before"
cp "${packages[@]}" "$root/root"
files=("${packages[@]/#*\///root/}")

say "install"
inside dpkg -i "${files[@]}" >/dev/null
inside modicum --version
inside modicum-node --version
for user in modicum modicum-node; do
	inside getent passwd "$user" | grep -q nologin || die "the user $user is missing, or may log in"
done
units=(provider mediator solver directory node)
units=("${units[@]/#/modicum-}")
inside systemd-analyze --man=no verify "${units[@]/%/.service}" || die "systemd does not take the units"
inside modicum --config /etc/modicum/modicum.toml config check >/dev/null
# The files for services are for shells, too.
for role in provider mediator solver directory; do
	# shellcheck disable=SC2016 # The shell inside expands it.
	inside sh -c 'set -ae; . /etc/modicum/$1.env; mkdir -p /var/lib/modicum/$1; modicum key generate; modicum key inspect' sh "$role" >"$root/root/key"
	grep -q "^account  *5" "$root/root/key" || die "no key for the $role: $(cat "$root/root/key")"
done
[[ -s $root/usr/share/man/man1/modicum-provider-run.1.gz && -s $root/usr/share/bash-completion/completions/modicum ]] ||
	die "manual or completions are missing"

say "services"
for unit in "${units[@]}"; do
	[[ $(inside systemctl is-active "$unit") == inactive ]] || die "$unit was started without being asked to"
done
inside sed -i 's|^MODICUM_NODE_CHAIN=.*|MODICUM_NODE_CHAIN=dev|; s|^MODICUM_NODE_ARGUMENTS=.*|MODICUM_NODE_ARGUMENTS="--alice --validator"|' \
	/etc/modicum/node.env
inside systemctl enable --now modicum-node 2>/dev/null
until_true "the chain" inside modicum chain status
inside chown -R modicum: /var/lib/modicum/solver /var/lib/modicum/directory
inside systemctl enable --now modicum-solver modicum-directory 2>/dev/null
until_true "the solver" inside curl -sf http://127.0.0.1:9618/health
until_true "the directory" inside curl -sf http://127.0.0.1:5000/healthz
# Without an engine a provider says so, and stops.
inside systemctl start modicum-provider
until_true "a plain message" inside sh -c 'journalctl -u modicum-provider -o cat | grep -q "no container engine answers on /var/run/docker.sock"'
inside systemctl stop modicum-provider
process=$(inside systemctl show -P MainPID modicum-node)

say "update"
echo '# mine' >>"$root/etc/modicum/modicum.toml"
inside dpkg -i --force-confold "${files[@]}" >/dev/null
grep -q '^# mine' "$root/etc/modicum/modicum.toml" || die "an update has overwritten settings"
[[ -s $root/var/lib/modicum/provider/key ]] || die "an update has removed a key"
until_true "the chain after the update" inside modicum chain status
[[ $(inside systemctl show -P MainPID modicum-node) != "$process" ]] || die "an update has not restarted the node"

say "remove"
inside dpkg -r modicum modicum-node >/dev/null 2>&1
[[ -z $(inside pgrep modicum) ]] || die "a removal has left processes"
[[ ! -e $root/usr/bin/modicum && -s $root/var/lib/modicum/provider/key && -s $root/etc/modicum/node.env ]] ||
	die "a removal must leave keys and settings, and nothing else"
inside dpkg -i "${files[@]}" >/dev/null

say "purge"
inside dpkg -P modicum modicum-node >/dev/null 2>"$root/root/purge"
[[ $(find "$root/var/backups" -name 'modicum-*.key' -perm 600 | wc -l) -eq 4 ]] || die "a purge has lost keys"
rm -f "$root"/var/backups/modicum-*.key
state >"$root/root/after"
left=$(diff "$root/root/before" "$root/root/after" | grep '^[<>]' | grep -v ' ./var/lib/apt\| ./var/backups\|-$' || true)
[[ -z $left ]] || die "a purge has left or taken:
$left"
say "the packages install, update and purge as they should"

#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# with-docker.sh CMD…: run CMD with a Docker engine. An engine that answers, on DOCKER_HOST or on the default socket,
# is used as it is. Otherwise this starts one of its own (that needs root), on its own socket and with its own data,
# exports DOCKER_HOST and MODICUM_PRIVATE_ENGINE=1 to CMD, and at the end stops, by process id, what it started.
#
# MODICUM_DOCKER_DATA  where a private engine keeps its images (default: a folder under the cache folder)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
# shellcheck source=scripts/engine.sh
source "$(dirname "$0")/engine.sh"

[[ $# -gt 0 ]] || die "usage: $0 CMD [ARGUMENT…]"

have curl || die "curl is missing: run 'make setup'"
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
[[ $socket == unix://* ]] || die "DOCKER_HOST is '$socket': jobs are metered through this machine's cgroups, so name a unix:// socket"
if answers "${socket#unix://}"; then
	exec "$@"
fi
[[ -z ${DOCKER_HOST:-} ]] || die "no engine answers on DOCKER_HOST=$DOCKER_HOST: start it, or unset the variable"
[[ $(id -u) -eq 0 ]] || die "no Docker engine answers on ${socket#unix://}: start it ('systemctl start docker'), or run this as root"
for tool in dockerd containerd runc; do
	have "$tool" || die "$tool is missing: run 'make setup'"
done

own_host_name "$0" "$@"

data=${MODICUM_DOCKER_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/modicum/docker}
run=$(mktemp -d "${TMPDIR:-/tmp}/modicum-docker.XXXXXX")
mkdir -p "$data"
exec 9>"$data/lock"
flock -n 9 || {
	rmdir "$run"
	die "another private engine uses $data: wait for it, or set MODICUM_DOCKER_DATA to another folder"
}

# What a private engine must not do: touch the machine's network. Jobs have none anyway.
# Descriptor 9 is closed for it, or a shim that outlives the engine would keep the lock.
dockerd --host "unix://$run/docker.sock" --data-root "$data/data" --exec-root "$run/exec" --pidfile "$run/docker.pid" \
	--bridge none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false >"$run/dockerd.log" 2>&1 9>&- &
engine=$!

# shellcheck disable=SC2317 # Called by the trap.
stop() {
	stop_engine "$engine" "$run/dockerd.log" || return 0
	unmount_below "$run/exec"
	rm -rf --one-file-system "$run"
}
trap stop EXIT

wait_for_engine "$run/docker.sock" "$engine" "$run/dockerd.log"
run_with "$run/docker.sock" "$@"

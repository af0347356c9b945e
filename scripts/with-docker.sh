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

START_TIMEOUT_SECS=60
STOP_TIMEOUT_SECS=30

[[ $# -gt 0 ]] || die "usage: $0 CMD [ARGUMENT…]"

# answers SOCKET: whether an engine answers there. Asked over plain HTTP, so that no Docker client is needed.
answers() {
	[[ -S $1 ]] && [[ $(curl -s --max-time 5 --unix-socket "$1" http://docker/_ping) == OK ]]
}

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

# A host name of its own, so that a test may change it and the machine's stays as it is.
if [[ -z ${MODICUM_PRIVATE_ENGINE:-} ]]; then
	export MODICUM_PRIVATE_ENGINE=1
	exec unshare --uts "$0" "$@"
fi

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
	kill "$engine" 2>/dev/null || true
	for ((i = 0; i < STOP_TIMEOUT_SECS * 10; i++)); do
		kill -0 "$engine" 2>/dev/null || break
		sleep 0.1
	done
	if kill -0 "$engine" 2>/dev/null; then
		printf 'warning: the engine (process %s) does not stop; its log is %s\n' "$engine" "$run/dockerd.log" >&2
		return
	fi
	# What the engine may leave mounted below its own folder only.
	while read -r mount; do umount "$mount" || true; done < <(grep -o " $run/exec[^ ]*" /proc/mounts | sort -r)
	rm -rf --one-file-system "$run"
}
trap stop EXIT

for ((i = 0; ; i++)); do
	answers "$run/docker.sock" && break
	kill -0 "$engine" 2>/dev/null || {
		tail -n 20 "$run/dockerd.log" >&2
		die "dockerd did not start: see the lines above"
	}
	((i < START_TIMEOUT_SECS * 10)) || die "dockerd did not answer within $START_TIMEOUT_SECS s"
	sleep 0.1
done

# Not exec: the engine must be stopped afterwards. In the background, so that a signal to this script reaches the command.
DOCKER_HOST=unix://$run/docker.sock "$@" 9>&- <&0 &
command=$!
trap 'kill "$command" 2>/dev/null || true' INT TERM
status=0
wait "$command" || status=$?
# A signal ends the wait, not the command.
while kill -0 "$command" 2>/dev/null; do
	status=0
	wait "$command" || status=$?
done
exit "$status"

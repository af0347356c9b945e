#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# with-podman.sh CMD…: run CMD with Podman's Docker-compatible service, one of its own in a temporary folder, set up as
# docs/executor.md says. Exports DOCKER_HOST and MODICUM_PRIVATE_ENGINE=1 to CMD, and at the end stops, by process id, what it
# started, and removes everything. Needs root.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
# shellcheck source=scripts/engine.sh
source "$(dirname "$0")/engine.sh"

[[ $# -gt 0 ]] || die "usage: $0 CMD [ARGUMENT…]"
have curl || die "curl is missing: run 'make setup'"
[[ $(id -u) -eq 0 ]] || die "run this as root: jobs' storage and cgroups need that"
have podman || die "podman is missing: apt-get install podman"
own_host_name "$0" "$@"

run=$(mktemp -d "${TMPDIR:-/tmp}/modicum-podman.XXXXXX")
export CONTAINERS_CONF=$run/containers.conf
{
	printf '[containers]\ncgroups = "no-conmon"\n[engine]\nevents_logger = "file"\n'
	# Locks elsewhere than those of the machine's own Podman.
	printf 'lock_type = "file"\n'
	[[ -d /run/systemd/system ]] || printf 'cgroup_manager = "cgroupfs"\n'
	# crun, the usual one, starts nothing where both versions of cgroups are mounted.
	! have runc || printf 'runtime = "runc"\n'
} >"$CONTAINERS_CONF"
podman=(podman --root "$run/data" --runroot "$run/run" --tmpdir "$run/tmp")
# There, since its monitor of a container leaves files where the service was started.
(cd "$run" && exec "${podman[@]}" system service --time 0 "unix://$run/podman.sock" >"$run/log" 2>&1) &
engine=$!

# shellcheck disable=SC2317 # Called by the trap.
stop() {
	# Containers do not end with the service.
	"${podman[@]}" rm --all --force --time 0 >/dev/null 2>>"$run/log" || true
	stop_engine "$engine" "$run/log" || return 0
	unmount_below "$run"
	rm -rf --one-file-system "$run"
}
trap stop EXIT

wait_for_engine "$run/podman.sock" "$engine" "$run/log"
run_with "$run/podman.sock" "$@"

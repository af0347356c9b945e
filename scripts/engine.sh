# shellcheck shell=bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts share that start a container engine for a command. Source it after common.sh.

START_TIMEOUT_SECS=60
STOP_TIMEOUT_SECS=30

# answers SOCKET: whether an engine answers there. Asked over plain HTTP, so that no client is needed.
answers() {
	[[ -S $1 ]] && [[ $(curl -s --max-time 5 --unix-socket "$1" http://docker/_ping) == OK ]]
}

# own_host_name SCRIPT ARGUMENT…: start the script again with a host name of its own, so that a test may change it and the
# machine's stays as it is.
own_host_name() {
	[[ -z ${MODICUM_PRIVATE_ENGINE:-} ]] || return 0
	export MODICUM_PRIVATE_ENGINE=1
	exec unshare --uts "$@"
}

# wait_for_engine SOCKET PROCESS LOG: until it answers.
wait_for_engine() {
	local i
	for ((i = 0; ; i++)); do
		answers "$1" && return
		kill -0 "$2" 2>/dev/null || {
			tail -n 20 "$3" >&2
			die "the engine did not start: see the lines above"
		}
		((i < START_TIMEOUT_SECS * 10)) || die "the engine did not answer within $START_TIMEOUT_SECS s"
		sleep 0.1
	done
}

# stop_engine PROCESS LOG: whether it has ended.
stop_engine() {
	kill "$1" 2>/dev/null || true
	local i
	for ((i = 0; i < STOP_TIMEOUT_SECS * 10; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	printf 'warning: the engine (process %s) does not stop; its log is %s\n' "$1" "$2" >&2
	return 1
}

# unmount_below FOLDER: what an engine leaves mounted below its own folder only.
unmount_below() {
	local mount
	while read -r mount; do umount "$mount" || true; done < <(grep -o " $1[^ ]*" /proc/mounts | sort -r)
}

# run_with SOCKET CMD…: run CMD with the engine there, and exit as it does. Not exec: the engine must be stopped afterwards.
# In the background, so that a signal to the script reaches the command.
run_with() {
	local socket=$1 command status=0
	shift
	DOCKER_HOST=unix://$socket "$@" 9>&- <&0 &
	command=$!
	# shellcheck disable=SC2064 # The number is known now.
	trap "kill $command 2>/dev/null || true" INT TERM
	wait "$command" || status=$?
	# A signal ends the wait, not the command.
	while kill -0 "$command" 2>/dev/null; do
		status=0
		wait "$command" || status=$?
	done
	exit "$status"
}

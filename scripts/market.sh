# shellcheck shell=bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# A whole market on this machine, for the demonstration and for trying things out: a development chain, a directory,
# a solver, a mediator and providers, each with a folder of its own below $MARKET. Source it after common.sh.
#
# MODICUM_DEMO_ENDPOINT   a node of a development chain that runs already, on which nobody is registered yet, such as
#                         ws://127.0.0.1:9944 of `make zombienet` (default: none; a chain is started)

# The folder of everything the market writes; removed by market_stop unless something failed.
MARKET=${MARKET:-$(mktemp -d "${TMPDIR:-/tmp}/modicum-market.XXXXXX")}
# Process ids of what was started, last first.
MARKET_PIDS=()

# free_port FROM: the first port from FROM on that nobody listens on.
free_port() {
	local port=$1
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
	echo "$port"
}

# as NAME ARGUMENT…: a modicum command by the development account //NAME, with a home of its own.
as() {
	local name=$1
	shift
	MODICUM_SECRET_KEY=//$name XDG_DATA_HOME=$MARKET/$name XDG_CONFIG_HOME=$MARKET/$name \
		"$(target_dir)/debug/modicum" --endpoint "$ENDPOINT" "$@"
}

# background NAME LOG ARGUMENT…: the same, until the market stops.
background() {
	local name=$1 log=$2
	shift 2
	# Not by `as`: its process id would be a shell's, not the agent's.
	MODICUM_SECRET_KEY=//$name XDG_DATA_HOME=$MARKET/$name XDG_CONFIG_HOME=$MARKET/$name \
		"$(target_dir)/debug/modicum" --endpoint "$ENDPOINT" --log-level info "$@" >"$MARKET/$log.log" 2>&1 &
	MARKET_PIDS=("$!" "${MARKET_PIDS[@]}")
}

# until_true SECONDS WHAT CMD…: waits until CMD succeeds.
until_true() {
	local seconds=$1 what=$2
	shift 2
	for ((i = 0; i < seconds * 5; i++)); do
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.2
	done
	die "$what did not come within $seconds s: look at the logs in $MARKET"
}

# stop PID…: stops processes that were started here.
stop() {
	local pid
	for pid in "$@"; do kill "$pid" 2>/dev/null || true; done
	for pid in "$@"; do wait "$pid" 2>/dev/null || true; done
}

# market_stop: stops what was started, by process id; the chain last, to which providers have a word to say.
market_stop() {
	local status=$? others
	others=$((${#MARKET_PIDS[@]} > 0 ? ${#MARKET_PIDS[@]} - 1 : 0))
	stop "${MARKET_PIDS[@]:0:others}"
	stop "${MARKET_PIDS[@]:others}"
	if [[ $status -eq 0 ]]; then
		rm -rf --one-file-system "$MARKET"
	else
		printf 'logs and states are kept in %s\n' "$MARKET" >&2
	fi
}

# in_turn NAME: runs the commands on the standard input, one a line, by //NAME.
in_turn() {
	local name=$1 line
	while read -r line; do
		# shellcheck disable=SC2086 # Words are meant.
		as "$name" $line >>"$MARKET/$name.setup.log" 2>&1 </dev/null || die "$name: $line: $(tail -n 3 "$MARKET/$name.setup.log")"
	done
}

# market_start: everything but providers. Sets ENDPOINT, DIRECTORY_URL and BASE.
market_start() {
	local rpc port archive=$MARKET/busybox.tar
	ENDPOINT=${MODICUM_DEMO_ENDPOINT:-}
	if [[ -z $ENDPOINT ]]; then
		rpc=$(free_port 31944)
		ENDPOINT=ws://127.0.0.1:$rpc
		"$(target_dir)/debug/modicum-node" --dev --tmp --rpc-port "$rpc" --port "$(free_port 31333)" --no-prometheus \
			>"$MARKET/node.log" 2>&1 &
		MARKET_PIDS=("$!" "${MARKET_PIDS[@]}")
	fi
	BASE=$("$ROOT/docker/bases/busybox.sh" "$archive")
	until_true 60 "the chain" as Creator chain status
	as Provider provider base-layer install "$archive" >/dev/null
	port=$(free_port 31500)
	DIRECTORY_URL=http://127.0.0.1:$port

	# Each role does its own calls one after the other; the roles do not wait for each other.
	local tasks=()
	in_turn Directory <<<"directory register --url $DIRECTORY_URL --availability-fee 0.05" & tasks+=("$!")
	in_turn Mediator <<<"mediator register --availability-fee 0.1 --trust-directory //Directory --base-layer $BASE" & tasks+=("$!")
	in_turn Creator <<<"creator register --trust-mediator //Mediator" & tasks+=("$!")
	local provider
	for provider in Provider Provider2; do
		in_turn "$provider" <<<"provider register --time-per-billion-instructions 1000 --trust-mediator //Mediator --trust-directory //Directory --base-layer $BASE" & tasks+=("$!")
	done
	local task
	for task in "${tasks[@]}"; do wait "$task"; done

	background Directory directory directory run --data "$MARKET/Directory/store" --listen "127.0.0.1:$port" \
		--admin-listen "127.0.0.1:$(free_port 31600)" --id "127.0.0.1:$port"
	background Solver solver solver run
	background Mediator mediator mediator run
}

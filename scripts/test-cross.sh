#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# test-cross.sh ARCHITECTURE…: starts the agents' binaries for arm64 and armhf that scripts/dist.sh has made under qemu,
# against a node of this machine: a key, the chain's status, the market, and a solver that idles for a minute and a
# half. Prints what they weigh.
#
# MODICUM_DIST   the folder of the binaries (default: dist)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

# Long enough to give the pages of the program back once.
IDLE_SECS=90

[[ $# -gt 0 ]] || die "usage: $0 arm64|armhf…"
dist=$(realpath -m "${MODICUM_DIST:-dist}")
node=$dist/linux/$(dpkg --print-architecture)/modicum-node
[[ -x $node ]] || die "$node is missing: run 'make dist'"
# shellcheck source=scripts/market.sh
source "$ROOT/scripts/market.sh"
trap market_stop EXIT
trap 'exit 130' INT TERM

rpc=$(free_port 31944)
"$node" --dev --tmp --rpc-port "$rpc" --port "$(free_port 31333)" --no-prometheus --no-telemetry >"$MARKET/node.log" 2>&1 &
MARKET_PIDS=("$!")

for architecture in "$@"; do
	case $architecture in
	arm64) emulator=(qemu-aarch64-static -L /usr/aarch64-linux-gnu) folder=arm64 ;;
	armhf) emulator=(qemu-arm-static -L /usr/arm-linux-gnueabihf) folder=arm ;;
	*) die "there are no agents for '$architecture': arm64 and armhf are known" ;;
	esac
	have "${emulator[0]}" || die "${emulator[0]} is missing: apt-get install qemu-user-static"
	binary=$dist/linux/$folder/modicum
	[[ -x $binary ]] || die "$binary is missing: run 'make dist'"
	home=$MARKET/$architecture
	run() { XDG_DATA_HOME=$home XDG_CONFIG_HOME=$home MODICUM_CHAIN_ENDPOINTS=ws://127.0.0.1:$rpc "${emulator[@]}" "$binary" "$@"; }

	say "$architecture: $(run --version), $(stat -c %s "$binary" | numfmt --to=iec) stripped"
	[[ $(run key generate | sed -n 's/^account *//p') == "$(run key inspect | sed -n 's/^account *//p')" ]] ||
		die "the key is another one when it is read again"
	until_true 120 "the chain" run chain status
	run chain status
	run offer list
	run match list

	# In the background by itself: its process id must be the emulator's.
	XDG_DATA_HOME=$home XDG_CONFIG_HOME=$home MODICUM_CHAIN_ENDPOINTS=ws://127.0.0.1:$rpc MODICUM_SECRET_KEY=//Solver \
		MODICUM_LOG_LEVEL=info "${emulator[@]}" "$binary" solver run >"$MARKET/$architecture.log" 2>&1 &
	solver=$!
	MARKET_PIDS=("$solver" "${MARKET_PIDS[@]}")
	sleep "$IDLE_SECS"
	kill -0 "$solver" 2>/dev/null || die "the solver ended: $(tail -n 3 "$MARKET/$architecture.log")"
	say "$architecture: an idle solver has $(ps -o rss= -p "$solver" | tr -d ' ') KiB resident, the emulator's own among it"
	kill "$solver"
	wait "$solver" || die "the solver did not stop cleanly: $(tail -n 3 "$MARKET/$architecture.log")"
done
say "the agents for $* start, read the market and stop as they should"

#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Starts a network of zombienet/ on this machine and keeps it until Ctrl-C: docs/networks.md.
#
# usage: scripts/zombienet.sh [NETWORK]      local (the default), market, faults, or a file of zombienet's
#
# MODICUM_NODE          the node's binary (default: the one that `make build` made)
# MODICUM_NETWORK_DIR   where the network keeps data and logs; it must not exist, and is kept
#                       (default: a temporary folder, removed if the network ran well)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

CLI=$ROOT/zombienet
NODEJS_MAJOR=18
STOP_TIMEOUT_SECS=30

# Everything that could fail is looked at before anything is started.
network=${1:-local}
file=$network
[[ $network == */* || $network == *.toml ]] || file=$CLI/$network.toml
[[ -f $file ]] || die "there is no network '$network': give local, market, faults, or the path of a zombienet file"
file=$(realpath "$file")

for tool in node npm curl pgrep ps awk wc; do
	have "$tool" || die "$tool is missing: install it (node and npm are of Node.js, $NODEJS_MAJOR or later)"
done
nodejs=$(node --version)
major=${nodejs#v}
((${major%%.*} >= NODEJS_MAJOR)) || die "Node.js is $nodejs, and zombienet needs v$NODEJS_MAJOR or later"

binary=$(realpath -m "${MODICUM_NODE:-$(target_dir)/debug/modicum-node}")
[[ $(basename "$binary") == modicum-node ]] || die "MODICUM_NODE is '$binary', but the networks start what is called modicum-node: rename it, or edit a copy of the file"
[[ -x $binary && ! -d $binary ]] || die "no node at $binary: run 'make build', or set MODICUM_NODE"
"$binary" --version >/dev/null 2>&1 || die "$binary does not run on this machine"

# in_use PORT: whether somebody listens there.
in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# A node whose port is taken does not start, and zombienet waits for it.
while read -r key port; do
	if in_use "$port"; then
		die "port $port is in use, and $file wants it ($key): stop what listens there ('ss -ltnp sport = $port' names it), or edit a copy of the file"
	fi
done < <(sed -nE 's/^[[:space:]]*(rpc_port|prometheus_port|p2p_port|ws_port)[[:space:]]*=[[:space:]]*([0-9]+).*/\1 \2/p' "$file")

if [[ -n ${MODICUM_NETWORK_DIR:-} ]]; then
	folder=$(realpath -m "$MODICUM_NETWORK_DIR")
	[[ ! -e $folder ]] || die "$folder exists: a network that starts there would meet the data of another; remove it, or set MODICUM_NETWORK_DIR to another folder"
	[[ $folder != *[[:space:]]* ]] || die "the path '$folder' has a space, which zombienet does not quote"
	mkdir -p "$(dirname "$folder")"
else
	folder=$(mktemp -u "${TMPDIR:-/tmp}/modicum-zombienet.XXXXXX")
fi

zombienet=$CLI/node_modules/.bin/zombienet
wanted=$(sed -nE 's/.*"@zombienet\/cli": "([^"]+)".*/\1/p' "$CLI/package.json")
if [[ ! -x $zombienet || $("$zombienet" version 2>/dev/null) != "$wanted" ]]; then
	say "installing zombienet $wanted into zombienet/node_modules (225 MB)"
	npm ci --prefix "$CLI" --ignore-scripts --no-audit --no-fund || die "npm could not install zombienet: see the lines above"
fi

# shellcheck disable=SC2317 # Called by the trap.
stop() {
	local status=$? pid
	trap '' INT TERM
	if [[ -n ${network_pid:-} ]] && kill -INT "$network_pid" 2>/dev/null; then
		for ((i = 0; i < STOP_TIMEOUT_SECS * 10; i++)); do
			kill -0 "$network_pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$network_pid" 2>/dev/null || true
	fi
	# Zombienet ends its nodes; what it has not ended names the network's folder.
	for pid in $(pgrep -f -- "--base-path $folder/" || true); do kill -KILL "$pid" 2>/dev/null || true; done
	if [[ -n ${MODICUM_NETWORK_DIR:-} || $status -ne 0 && $status -ne 130 && $status -ne 143 ]]; then
		if [[ -e $folder ]]; then say "data and logs are kept in $folder and $folder.log"; fi
	else
		rm -rf --one-file-system "$folder" "$folder.log"
	fi
	exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# rpc METHOD [PARAMETER]: what the first node with a fixed port answers; empty as long as it does not.
port=$(sed -nE 's/^[[:space:]]*rpc_port[[:space:]]*=[[:space:]]*([0-9]+).*/\1/p' "$file" | sort -n | head -n 1)
rpc() {
	curl -s --max-time 5 -H 'Content-Type: application/json' "http://127.0.0.1:$port" \
		-d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":[${2:-}]}" |
		sed -nE 's/.*"result":"([^"]*)".*/\1/p' || true
}

say "starting the network of $file; Ctrl-C stops it and all its nodes"
# In a process group of its own, so that Ctrl-C reaches it once, from the trap.
set -m
PATH=$(dirname "$binary"):$PATH "$zombienet" --provider native --dir "$folder" --logType text spawn "$file" \
	</dev/null >"$folder.log" 2>&1 &
network_pid=$!
set +m
until [[ -z $port ]]; do
	kill -0 "$network_pid" 2>/dev/null || break
	genesis=$(rpc chain_getBlockHash 0)
	finalized=$(rpc chain_getFinalizedHead)
	if [[ -n $genesis && -n $finalized && $finalized != "$genesis" ]]; then
		say "blocks are final; data and logs are in $folder"
		say "try it: modicum --endpoint ws://127.0.0.1:$port chain status"
		break
	fi
	sleep 1
done
wait "$network_pid" || true
tail -n 30 "$folder.log" >&2
die "the network ended by itself: see the lines above"

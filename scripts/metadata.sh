#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Takes the metadata that the agents are built from out of the node's binary. Run it after every change of the
# runtime that agents can see, and commit the file.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

# The version with view functions, as SCALE encodes a u32.
VERSION=0x10000000
PORT=${METADATA_PORT:-19944}
FILE=$ROOT/offchain-agents/chain-client/artifacts/modicum.scale
NODE=${MODICUM_NODE:-$(target_dir)/debug/modicum-node}

for tool in curl perl; do
	have "$tool" || die "$tool is missing: install it (apt-get install $tool)"
done
[[ -x $NODE ]] || die "no node at $NODE: build it with 'make build', or set MODICUM_NODE"

log=$(mktemp)
"$NODE" --dev --tmp --rpc-port "$PORT" --port 0 --no-prometheus --no-telemetry >"$log" 2>&1 &
node=$!
trap 'kill "$node" 2>/dev/null; wait "$node" 2>/dev/null; rm -f "$log" "$FILE.new"' EXIT

request='{"jsonrpc":"2.0","id":1,"method":"state_call","params":["Metadata_metadata_at_version","'$VERSION'"]}'
answer=
for _ in $(seq 120); do
	kill -0 "$node" 2>/dev/null || die "the node ended: $(tail -n 5 "$log")"
	if answer=$(curl --silent --fail --max-time 20 -H 'Content-Type: application/json' \
		--data "$request" "http://127.0.0.1:$PORT"); then
		break
	fi
	sleep 1
done
[[ -n $answer ]] || die "the node does not answer: $(tail -n 5 "$log")"

# The answer is an optional, length-prefixed metadata: 01, four bytes of length, then "meta" and its contents.
perl -ne 'print pack("H*", $1) if /"result":"0x01[0-9a-f]{8}(6d657461[0-9a-f]+)"/' \
	<<<"$answer" >"$FILE.new"
[[ -s $FILE.new ]] || die "the node has no metadata of version 16: ${answer:0:200}"
if cmp --silent "$FILE.new" "$FILE"; then
	say "the metadata is as committed"
else
	mv "$FILE.new" "$FILE"
	say "new metadata in $FILE: commit it"
fi

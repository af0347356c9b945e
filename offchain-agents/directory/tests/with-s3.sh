#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command with an S3 emulator on loopback, named in MODICUM_TEST_S3. The emulator is moto's
# server, installed into a virtual environment of its own.
set -euo pipefail

if [[ $# -eq 0 ]]; then
	echo "usage: $0 COMMAND [ARGUMENT...]" >&2
	exit 2
fi

state="${XDG_CACHE_HOME:-$HOME/.cache}/modicum-s3-emulator"
if [[ ! -x "$state/bin/moto_server" ]]; then
	python3 -m venv "$state"
	"$state/bin/pip" install --quiet 'moto[server]>=5,<6'
fi

log="$(mktemp)"
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
"$state/bin/moto_server" --host 127.0.0.1 --port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT

for _ in $(seq 600); do
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
		MODICUM_TEST_S3="http://127.0.0.1:$port" \
			AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test "$@"
		exit 0
	fi
	sleep 0.1
done
echo "the S3 emulator does not start:" >&2
cat "$log" >&2
exit 1

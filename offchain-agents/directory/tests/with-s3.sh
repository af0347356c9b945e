#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command with an S3 emulator on loopback, named in MODICUM_TEST_S3. The emulator is moto's server, installed
# below the target folder as s3-requirements.txt beside this file pins it.
set -euo pipefail

if [[ $# -eq 0 ]]; then
	echo "usage: $0 COMMAND [ARGUMENT...]" >&2
	exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
state="${CARGO_TARGET_DIR:-$here/../../../target}/s3-emulator"
if ! cmp -s "$here/s3-requirements.txt" "$state/installed"; then
	rm -rf "$state"
	python3 -m venv "$state"
	"$state/bin/pip" install --quiet --requirement "$here/s3-requirements.txt"
	cp "$here/s3-requirements.txt" "$state/installed"
fi

log=$(mktemp)
port=$("$state/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$state/bin/moto_server" --host 127.0.0.1 --port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT

for _ in $(seq 600); do
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
		MODICUM_TEST_S3="http://127.0.0.1:$port" \
			AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test "$@"
		exit 0
	fi
	kill -0 "$server" 2>/dev/null || break
	sleep 0.1
done
echo "the S3 emulator does not start:" >&2
cat "$log" >&2
exit 1

#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# build.sh OUT: fill the folder OUT with the program, compiled statically, so that it runs on any base.

set -euo pipefail

[[ $# -eq 1 ]] || {
	echo "usage: $0 OUT" >&2
	exit 1
}
command -v gcc >/dev/null || {
	echo "error: gcc is missing: apt-get install gcc libc6-dev" >&2
	exit 1
}
mkdir -p "$1/opt/matrix/bin"
gcc -O2 -std=c11 -Wall -Wextra -static -s -o "$1/opt/matrix/bin/product" "$(dirname "$0")/product.c"

# shellcheck shell=bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts share. Source it; it does nothing by itself.

set -euo pipefail

# The repository's root folder.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT

# In CI the target folder lies outside the checkout, so that a fresh clone on a warm machine builds in minutes.
if [[ -n ${CI:-} && -z ${CARGO_TARGET_DIR:-} ]]; then
	export CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/modicum/target
fi

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# as_root CMD…: run CMD as root, by sudo if need be.
as_root() {
	if [[ $(id -u) -eq 0 ]]; then
		"$@"
	elif have sudo; then
		sudo "$@"
	else
		die "'$*' needs root and there is no sudo: run it as root, then start again"
	fi
}

# target_dir: where cargo puts what it builds.
target_dir() {
	printf '%s\n' "${CARGO_TARGET_DIR:-$ROOT/target}"
}

#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Checks that a dependency of the node has the same features whether or not tests are built with it; otherwise
# `make build` and `make test` would each build their own node. scripts/unified-features mends what this finds.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

# features EDGES: the packages of the workspace's tree with their features.
features() {
	cargo tree --locked --workspace -e "$1" --prefix none -f '{p} [{f}]' | sed 's/ (\*)$//' | sort -u
}

node=$(cargo tree --locked -p modicum-node -e normal,build --prefix none -f '{p}' | sed 's/ (\*)$//' | sort -u)
differences=$(comm -3 <(features normal,build) <(features normal,build,dev) | sed 's/^\t*//' |
	while read -r line; do
		if grep -qxF "${line%% \[*}" <<<"$node"; then printf '%s\n' "$line"; fi
	done)
# A package that only tests bring in differs in nothing: it is there once.
differences=$(sort <<<"$differences" | awk '{ count[$1 " " $2]++; lines[$1 " " $2] = lines[$1 " " $2] $0 "\n" }
	END { for (package in count) if (count[package] > 1) printf "%s", lines[package] }')
[[ -z $differences ]] || die "features change when tests are built; add to scripts/unified-features/Cargo.toml what asks for them:
$differences"

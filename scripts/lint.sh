#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Formatting, clippy, documentation links, licences of dependencies, shell scripts. Anything found is an error.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

say "formatting"
cargo fmt --all -- --check

say "features of shared dependencies"
scripts/check-features.sh

say "clippy"
cargo clippy --workspace --all-targets --locked -- -D warnings

say "documentation"
"$ROOT/scripts/docs.sh"

if have shellcheck; then
	say "shell scripts"
	git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck -x
fi

# Known vulnerabilities (`cargo deny check advisories`) need a database from the network, so they are not checked here.
if have cargo-deny; then
	say "licences and sources of dependencies"
	cargo deny check --allow parse-error licenses bans sources
else
	say "no cargo-deny: licences and sources of dependencies are not checked (cargo install --locked cargo-deny)"
fi

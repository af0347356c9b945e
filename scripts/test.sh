#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Passes all tests. The tests start the nodes and engines that they need and stop them again.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

say "building everything that the tests need (about half an hour the first time)"
cargo build --workspace --all-targets --locked

say "all tests that need no container engine"
# Most of the time they wait for blocks, so more of them at once than there are cores.
if have cargo-nextest; then
	# In half the time, since it does not wait for the last test of each file.
	cargo nextest run --workspace --locked --no-fail-fast --test-threads 12
	cargo test --workspace --locked --doc
else
	cargo test --workspace --locked -- --test-threads 4
fi

if python3 -c 'import ensurepip, venv' 2>/dev/null; then
	say "the directory on an S3 emulator"
	offchain-agents/directory/tests/with-s3.sh cargo test --workspace --locked --test service -- --ignored s3::
else
	say "SKIPPED: the directory on an S3 emulator (python3 with venv is not here)"
fi

if engine=$(scripts/with-docker.sh true 2>&1); then
	say "all tests that need a container engine"
	scripts/test-docker.sh
else
	say "SKIPPED: all tests that need a container engine (${engine#error: })"
fi

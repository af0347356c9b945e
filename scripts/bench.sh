#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Prints figures as tables: what four validators cost and how they keep step, simulated jobs and equilibria a second,
# what strategies get on a chain, what the market costs in time and memory, how long a book of offers takes to solve,
# what the directory moves in a second.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

cargo build --workspace --all-targets --locked
say "four validators for two minutes"
"$(target_dir)/debug/examples/network_figures" 120
say "the game"
cargo run -q --locked -p modicum-economics --example economics_bench
say "the game on a chain"
cargo test -q --workspace --locked --test game -- --ignored --nocapture
# The agents as `make dist` builds them, if it has; how much memory they need depends on it.
if [[ -x $(target_dir)/edge/modicum ]]; then
	MODICUM_BINARY=$(target_dir)/edge/modicum
	export MODICUM_BINARY
	say "the agents below are of the profile edge"
fi
say "the market: the time that it adds to a job, jobs settled in a second, what idle agents need"
cargo test -q --workspace --locked --test figures -- --ignored --nocapture --test-threads 1
say "the solver"
cargo run -q --locked -p modicum-solver --example solver_bench
if engine=$(scripts/with-docker.sh true 2>&1); then
	say "the executor"
	base=$(mktemp)
	docker/bases/busybox.sh "$base" >/dev/null
	scripts/with-docker.sh "$(target_dir)/debug/examples/executor_bench" "$base"
	rm "$base"
else
	say "SKIPPED: the executor (${engine#error: })"
fi
if have docker-registry; then
	say "the directory beside docker-registry"
	"$(target_dir)/debug/examples/directory-bench"
else
	say "SKIPPED: the directory beside docker-registry, which is not installed"
fi

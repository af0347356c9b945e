#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Passes the tests that need a container engine: hostile jobs, made packages, example jobs, the market, real clients of the
# directory.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

# Names of tests by the program that they need beside the engine.
declare -A needing=(
	[podman]=podman::
	[runsc]=gvisor::
	[skopeo]=docker::skopeo_
	[docker-registry]=docker::a_standard_registry_
)

without=()
for tool in "${!needing[@]}"; do
	have "$tool" && continue
	say "$tool is not installed (apt-get install $tool): what concerns it is not tested"
	without+=(--skip "${needing[$tool]}")
done
# They are compiled with all others, and ignored unless asked for.
cargo test --workspace --locked --no-run --test docker --test engine --test jobs --test service
scripts/with-docker.sh bash -euc '
	cargo test --workspace --locked --test docker --test engine --test jobs -- --ignored "$@"
	cargo test --workspace --locked --test service -- --ignored docker:: root:: "$@"
' test-docker "${without[@]}"
if have podman; then
	say "the executor under Podman"
	# What starts engines of its own is the same under any; the image that a test loads has its lower layers left out.
	scripts/with-podman.sh cargo test --workspace --locked --test docker -- --ignored \
		--skip podman:: --skip restart:: --skip gvisor:: --skip an_image_runs_as_a_job
fi

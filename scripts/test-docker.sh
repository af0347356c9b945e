#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Passes the tests that need a container engine: hostile jobs, made packages, example jobs, the market, real clients of the
# directory.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

# They are compiled with all others, and ignored unless asked for.
engine=(--test docker --test engine --test jobs)
without=()
for tool in podman runsc; do
	have "$tool" && continue
	say "$tool is not installed (apt-get install $tool): what concerns it is not tested"
	without+=(--skip "${tool/runsc/gvisor}::")
done
cargo test --workspace --locked --no-run "${engine[@]}" --test service
scripts/with-docker.sh bash -euc '
	cargo test --workspace --locked "$@"
	cargo test --workspace --locked --test service -- --ignored docker:: root::
' test-docker "${engine[@]}" -- --ignored "${without[@]}"
if have podman; then
	say "the executor under Podman"
	# What starts engines of its own is the same under any; the image that a test loads has its lower layers left out.
	scripts/with-podman.sh cargo test --workspace --locked --test docker -- --ignored \
		--skip podman:: --skip restart:: --skip gvisor:: --skip an_image_runs_as_a_job
fi

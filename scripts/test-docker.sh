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
podman=()
if ! have podman; then
	say "podman is not installed (apt-get install podman): what concerns it is not tested"
	podman=(--skip podman::)
fi
cargo test --workspace --locked --no-run "${engine[@]}" --test service
scripts/with-docker.sh bash -euc '
	cargo test --workspace --locked "$@"
	cargo test --workspace --locked --test service -- --ignored docker:: root::
' test-docker "${engine[@]}" -- --ignored "${podman[@]}"
if have podman; then
	say "the executor under Podman"
	# What starts engines of its own is the same under any.
	scripts/with-podman.sh cargo test --workspace --locked --test docker -- --ignored --skip podman:: --skip restart::
fi

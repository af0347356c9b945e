#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Passes the tests that need a container engine: hostile jobs, made packages, example jobs, the market, real clients of the
# directory.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

tests=(--test docker --test engine --test jobs --test service --features "modicum/docker-tests,modicum-executor/docker-tests,modicum-directory/docker-tests,modicum-directory/root-tests,modicum-packaging/docker-tests")
cargo test --workspace --locked --no-run "${tests[@]}"
scripts/with-docker.sh cargo test --workspace --locked "${tests[@]}"

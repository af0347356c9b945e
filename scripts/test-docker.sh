#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Passes the tests that need a container engine: hostile jobs, and real clients of the directory.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

features=modicum-executor/docker-tests,modicum-directory/docker-tests
cargo build --workspace --all-targets --locked --features "$features"
scripts/with-docker.sh cargo test --workspace --locked --features "$features" --test docker --test service

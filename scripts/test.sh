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
cargo test --workspace --locked

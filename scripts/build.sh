#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Builds all binaries. Always the whole workspace at once: cargo chooses the features of dependencies by what is
# built together, and another choice would build them again.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

cargo build --workspace --bins --locked
say "built $(target_dir)/debug/modicum-node and $(target_dir)/debug/modicum"

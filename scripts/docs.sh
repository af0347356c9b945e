#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Builds the documentation of all crates; a broken link is an error.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
say "read $(target_dir)/doc/modicum_runtime/index.html"

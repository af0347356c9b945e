#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Runs a development chain of one validator in a folder that is removed at the end.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

exec "$(target_dir)/debug/modicum-node" --dev --tmp "$@"

#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Measures the weights of the market pallet on this machine and writes pallets/modicum/src/weights.rs.
#
# usage: scripts/weights.sh [STEPS [REPEAT]]
#
# Needs frame-omni-bencher, which it installs if it is missing (some 20 minutes), and builds the runtime with its
# benchmarks. Commit the result: its header names machine and command.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

steps=${1:-20}
repeat=${2:-10}
[[ $steps =~ ^[0-9]+$ && $repeat =~ ^[0-9]+$ ]] || die "usage: $0 [STEPS [REPEAT]]"

if ! have frame-omni-bencher; then
	say "installing frame-omni-bencher"
	cargo install --locked --version 0.28.0 frame-omni-bencher
fi

say "building the runtime with its benchmarks"
cargo build --locked --release -p modicum-runtime --features runtime-benchmarks
wasm=$(target_dir)/release/wbuild/modicum-runtime/modicum_runtime.wasm
[[ -s $wasm ]] || die "no runtime at $wasm"

say "measuring"
frame-omni-bencher v1 benchmark pallet \
	--runtime "$wasm" \
	--pallet pallet_modicum --extrinsic '*' \
	--genesis-builder runtime --genesis-builder-preset development \
	--steps "$steps" --repeat "$repeat" \
	--header scripts/weights-header.txt \
	--template scripts/weights-template.hbs \
	--output pallets/modicum/src/weights.rs
cargo fmt -p pallet-modicum
say "written: pallets/modicum/src/weights.rs"

#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Measures the weights of the market pallet on this machine and writes pallets/modicum/src/weights.rs and the table in
# the pallet's README.
#
# usage: scripts/weights.sh [STEPS [REPEAT]]
#
# Needs frame-omni-bencher, which it installs if it is missing (half an hour; it brings RocksDB, and so needs clang),
# and builds the runtime's WASM with its benchmarks, and nothing else, in a target folder of its own. Commit the
# result: its header names machine and command. Leave the machine alone while it measures.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

steps=${1:-20}
repeat=${2:-10}
[[ $steps =~ ^[0-9]+$ && $repeat =~ ^[0-9]+$ ]] || die "usage: $0 [STEPS [REPEAT]]"

if ! have frame-omni-bencher; then
	have clang || die "frame-omni-bencher is missing and needs clang to be built: apt-get install clang"
	say "installing frame-omni-bencher"
	cargo install --locked --version 0.28.0 frame-omni-bencher
fi

say "building the runtime with its benchmarks"
target=$(target_dir)/weights
# What substrate-wasm-builder passes to the compiler, without the native runtime that it is called from. `make setup` may
# have chosen another toolchain for the WASM target.
toolchain=()
if [[ -f .cargo/local.toml ]] && grep -q '^WASM_BUILD_TOOLCHAIN = "debian"' .cargo/local.toml; then
	toolchain=(+debian)
fi
RUSTFLAGS='-C link-arg=--export-table -C link-arg=--import-memory -C link-arg=--export=__heap_base --cfg substrate_runtime' \
	cargo "${toolchain[@]}" rustc --locked --release --target-dir "$target" --target wasm32v1-none \
	-p modicum-runtime --crate-type cdylib --no-default-features --features runtime-benchmarks \
	--config 'profile.release.lto="thin"' --config 'profile.release.panic="abort"'
wasm=$target/wasm32v1-none/release/modicum_runtime.wasm
[[ -s $wasm ]] || die "no runtime at $wasm"

say "measuring"
# A short name, since the header names it.
cp "$wasm" "$target/runtime.wasm"
(
	cd "$target"
	frame-omni-bencher v1 benchmark pallet \
		--runtime runtime.wasm \
		--pallet pallet_modicum --extrinsic '*' \
		--genesis-builder runtime --genesis-builder-preset development \
		--steps "$steps" --repeat "$repeat" \
		--header "$ROOT/scripts/weights-header.txt" \
		--template "$ROOT/scripts/weights-template.hbs" \
		--output weights.rs
)
# The command as anybody would give it.
sed "s|$ROOT/||g" "$target/weights.rs" >pallets/modicum/src/weights.rs

say "writing the table of the README"
MODICUM_WRITE_WEIGHTS=1 cargo test --locked -p pallet-modicum the_readme_has_the_measured_weights
say "written: pallets/modicum/src/weights.rs, pallets/modicum/README.md"

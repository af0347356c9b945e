#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Searches the market pallet for sequences of calls that break it.
#
# usage: scripts/fuzz-pallet.sh [CALLS [SECONDS]]
#
# First CALLS random calls (default 10,000,000; a quarter of an hour or more) in chains of a thousand, with every invariant
# checked; then, if cargo-fuzz and a nightly compiler are installed, SECONDS (default 600) of fuzzing with
# decoded calls, seeded with what the random calls look like.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

calls=${1:-10000000}
seconds=${2:-600}
[[ $calls =~ ^[0-9]+$ && $seconds =~ ^[0-9]+$ ]] || die "usage: $0 [CALLS [SECONDS]]"

say "$calls random calls"
MODICUM_CALLS=$calls cargo test --locked -p pallet-modicum random_calls_keep_every_invariant -- --nocapture

if ! have cargo-fuzz || ! cargo +nightly --version >/dev/null 2>&1; then
	say "no cargo-fuzz or no nightly compiler: decoded calls are not fuzzed (cargo install cargo-fuzz)"
	exit 0
fi
cd pallets/modicum
say "writing seeds"
mkdir -p fuzz/corpus/calls
MODICUM_SEEDS=$PWD/fuzz/corpus/calls cargo test --locked -p pallet-modicum write_fuzz_seeds -- --ignored
say "$seconds seconds of decoded calls"
cargo +nightly fuzz run calls -- -max_total_time="$seconds" -max_len=16384

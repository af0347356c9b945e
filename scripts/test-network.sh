#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Passes the tests on networks of four validators, the long ones included. They start the nodes that they need and
# stop them again.
#
# usage: scripts/test-network.sh [--sdk]      --sdk: also zombienet/tests, whose first build takes half an hour

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"
[[ $# -eq 0 || ($# -eq 1 && $1 == --sdk) ]] || die "usage: $0 [--sdk]"

tests=(--workspace --locked --test network --test faults)
cargo build --workspace --all-targets --locked

say "networks of four validators"
# Two at a time: each test is four nodes.
cargo test "${tests[@]}" -- --test-threads 2
say "agents without finality"
cargo test --workspace --locked --test network -- --ignored finality

# In a network namespace of its own, where nothing of this machine's network is touched.
private=(unshare --net)
[[ $(id -u) -eq 0 ]] || private=(unshare --user --map-root-user --net)
if have ip && have nsenter && "${private[@]}" ip link add name probe type veth peer name other 2>/dev/null; then
	say "a network that is split in two and healed"
	MODICUM_PRIVATE_NETWORK=1 "${private[@]}" cargo test --workspace --locked --offline --test faults -- --ignored split
else
	say "SKIPPED: a network that is split in two (no network namespaces here: they need iproute2, util-linux and leave to make them)"
fi

if [[ ${1:-} == --sdk ]]; then
	say "a network by zombienet-sdk"
	PATH=$(target_dir)/debug:$PATH CARGO_TARGET_DIR=${MODICUM_ZOMBIENET_TARGET:-$ROOT/zombienet/tests/target} \
		cargo test --locked --manifest-path zombienet/tests/Cargo.toml -- --nocapture
fi

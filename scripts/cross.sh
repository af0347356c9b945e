#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# cross.sh ARCHITECTURE…: build the agents' binary `modicum` for other machines with the profile edge, by Debian's names:
# arm64, armhf (ARMv7). Prints the binaries' paths; with --triple, only Rust's names of the targets, building nothing.
# With rustup's target if it is installed, else with Debian's Rust, whose sources of the standard library are compiled
# along (packages rustc-web cargo-web rust-web-src). The C compilers are Debian's cross compilers.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

[[ $# -gt 0 ]] || die "usage: $0 [--triple] arm64|armhf…"

# triple ARCHITECTURE: Rust's name of the target.
triple() {
	case $1 in
	arm64) echo aarch64-unknown-linux-gnu ;;
	armhf) echo armv7-unknown-linux-gnueabihf ;;
	*) die "there is no cross build for '$1': arm64 and armhf are known" ;;
	esac
}

# compiler ARCHITECTURE: the C compiler's prefix, which is also its package's name.
compiler() {
	case $1 in
	arm64) echo aarch64-linux-gnu ;;
	armhf) echo arm-linux-gnueabihf ;;
	esac
}

# cross_cargo TRIPLE ARGUMENT…: a cargo that can compile for TRIPLE.
cross_cargo() {
	local target=$1
	shift
	if compgen -G "$(rustc --print target-libdir --target "$target")/libstd-*.rlib" >/dev/null; then
		cargo "$@"
	elif [[ -x /usr/bin/cargo && -d /usr/lib/rustlib/src/rust/library ]]; then
		env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo -Z build-std=std,panic_abort "$@"
	else
		die "no standard library for $target: 'rustup target add $target', or install rustc-web cargo-web rust-web-src"
	fi
}

if [[ $1 == --triple ]]; then
	for architecture in "${@:2}"; do triple "$architecture"; done
	exit
fi
for architecture in "$@"; do
	target=$(triple "$architecture")
	prefix=$(compiler "$architecture")
	have "$prefix-gcc" || die "$prefix-gcc is missing: apt-get install gcc-$prefix libc6-dev-$architecture-cross"
	variable=${target//-/_}
	export "CARGO_TARGET_${variable^^}_LINKER=$prefix-gcc" "CC_$variable=$prefix-gcc" "AR_$variable=$prefix-ar"
	say "building modicum for $architecture" >&2
	cross_cargo "$target" build --profile edge --locked --package modicum --bin modicum --target "$target" >&2
	printf '%s\n' "$(target_dir)/$target/edge/modicum"
done

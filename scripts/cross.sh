#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# cross.sh ARCHITECTURE…: build the agents' binary `modicum` for other machines with the profile edge, by Debian's names:
# arm64, armhf (ARMv7). Prints the binaries' paths; with --path only that, building nothing.
# With rustup's target if it is installed, else with Debian's Rust, whose sources of the standard library are compiled
# along (packages rustc-web cargo-web rust-web-src). The C compilers are Debian's cross compilers.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

[[ $# -gt 0 ]] || die "usage: $0 [--path] arm64|armhf…"

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

# has_std TRIPLE: whether the Rust that is used here can compile programs for TRIPLE.
has_std() {
	compgen -G "$(rustc --print target-libdir --target "$1")/libstd-*.rlib" >/dev/null
}

# paths ARCHITECTURE…: where their binaries lie, a line each.
paths() {
	local architecture target
	for architecture in "$@"; do
		target=$(triple "$architecture")
		printf '%s\n' "$(target_dir)/$target/edge/modicum"
	done
}

if [[ $1 == --path ]]; then
	paths "${@:2}"
	exit
fi

cargo=(cargo)
targets=()
for architecture in "$@"; do
	target=$(triple "$architecture")
	prefix=$(compiler "$architecture")
	have "$prefix-gcc" || die "$prefix-gcc is missing: apt-get install gcc-$prefix libc6-dev-$architecture-cross"
	if ! has_std "$target"; then
		[[ -x /usr/bin/cargo && -d /usr/lib/rustlib/src/rust/library ]] ||
			die "no standard library for $target: 'rustup target add $target', or install rustc-web cargo-web rust-web-src"
		cargo=(env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo -Z "build-std=std,panic_abort")
	fi
	variable=${target//-/_}
	export "CARGO_TARGET_${variable^^}_LINKER=$prefix-gcc" "CC_$variable=$prefix-gcc" "AR_$variable=$prefix-ar"
	targets+=(--target "$target")
done
# At once, since optimising the whole program at the end is the work of one core for each.
say "building modicum for $*" >&2
"${cargo[@]}" build --profile edge --locked --package modicum --bin modicum "${targets[@]}" >&2
paths "$@"

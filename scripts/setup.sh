#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Installs what this machine lacks to build, test and run MODiCuM, and nothing else. A second run does nothing.
# MODICUM_SKIP_DOCKER=1 leaves the container engine out: enough for validators and for work on the chain.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

WASM_TARGET=wasm32v1-none
LOCAL_CONFIG=$ROOT/.cargo/local.toml

# need_packages PACKAGE…: install the Debian packages among them that are missing.
need_packages() {
	local missing=()
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
	done
	[[ ${#missing[@]} -eq 0 ]] && return
	say "installing ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null ||
		{ as_root apt-get update -qq &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null; } ||
		die "could not install ${missing[*]}: see the messages above"
}

# The C compiler, protobuf compiler and OpenSSL headers that dependencies build with; the library with which tests put a
# clock wrong.
setup_build_tools() {
	if have apt-get; then
		need_packages build-essential ca-certificates curl git libfaketime libssl-dev pkg-config protobuf-compiler
		return
	fi
	local missing=()
	for tool in cc make curl git pkg-config protoc; do have "$tool" || missing+=("$tool"); done
	[[ ${#missing[@]} -eq 0 ]] ||
		die "this system has no apt-get: install ${missing[*]} and the OpenSSL headers with its own package manager"
}

# cargo and rustc: those that are there, else rustup's, else the distribution's.
setup_rust() {
	have cargo && return
	if [[ -x $HOME/.cargo/bin/cargo ]]; then
		export PATH=$HOME/.cargo/bin:$PATH
		return
	fi
	say "installing Rust by rustup"
	if have curl && curl --proto '=https' --tlsv1.2 -sSf --max-time 30 https://sh.rustup.rs -o /tmp/rustup-init.sh; then
		sh /tmp/rustup-init.sh -y --no-modify-path --profile minimal --default-toolchain none
		export PATH=$HOME/.cargo/bin:$PATH
		say "add $HOME/.cargo/bin to your PATH"
	elif have apt-get; then
		say "rustup's server is not reachable: installing the distribution's Rust"
		need_packages rustc-web cargo-web rust-web-src
	else
		die "no Rust here and rustup's server is not reachable: install Rust 1.95 or newer"
	fi
}

# Whether the toolchain that cargo uses here can compile for the runtime's target.
wasm_target_installed() {
	local dir
	dir=$(cd "$ROOT" && rustc --print target-libdir --target "$WASM_TARGET" 2>/dev/null) || return 1
	compgen -G "$dir/libcore-*.rlib" >/dev/null
}

# The WASM target: rustup's, else one made from the distribution's Rust (docs/adr/0001-toolchain.md).
setup_wasm() {
	wasm_target_installed && return
	[[ -f $LOCAL_CONFIG ]] && grep -q WASM_BUILD_TOOLCHAIN "$LOCAL_CONFIG" && debian_wasm_installed && return
	if ! debian_wasm_installed; then
		say "adding the $WASM_TARGET target"
		if have rustup && (cd "$ROOT" && timeout 60 rustup target add "$WASM_TARGET" >/dev/null 2>&1); then
			return
		fi
		have apt-get ||
			die "rustup could not add $WASM_TARGET: check the network, then 'rustup target add $WASM_TARGET'"
		say "rustup's server is not reachable: making the target from the distribution's Rust"
		need_packages rustc-web cargo-web rust-web-src lld-22
		make_debian_wasm
	fi
	if have rustup; then
		rustup toolchain list | grep -q '^debian' || rustup toolchain link debian /usr
		say "the WASM runtime is built with the distribution's Rust: writing ${LOCAL_CONFIG#"$ROOT"/}"
		printf '# Written by scripts/setup.sh: the WASM runtime is built with the distribution'"'"'s Rust.\n[env]\nWASM_BUILD_TOOLCHAIN = "debian"\n' \
			>"$LOCAL_CONFIG"
	fi
}

DEBIAN_RUSTLIB=/usr/lib/rustlib

debian_wasm_installed() {
	compgen -G "$DEBIAN_RUSTLIB/$WASM_TARGET/lib/libcore-*.rlib" >/dev/null
}

# Build core and alloc for the WASM target with the distribution's Rust and install them beside its own.
make_debian_wasm() {
	local host work
	host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
	as_root mkdir -p "$DEBIAN_RUSTLIB/$host/bin" "$DEBIAN_RUSTLIB/$WASM_TARGET/lib"
	as_root ln -sf /usr/lib/llvm-22/bin/lld "$DEBIAN_RUSTLIB/$host/bin/rust-lld"
	work=$(mktemp -d)
	mkdir "$work/src"
	printf '#![no_std]\nextern crate alloc;\n' >"$work/src/lib.rs"
	printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/Cargo.toml"
	# The runtime is linked with link-time optimisation, which needs bitcode in these two as well.
	(cd "$work" && env -u RUSTUP_TOOLCHAIN -u CARGO_TARGET_DIR RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTFLAGS=-Cembed-bitcode=yes \
		/usr/bin/cargo build --quiet --release -Z build-std=core,alloc --target "$WASM_TARGET") ||
		die "could not build core and alloc for $WASM_TARGET"
	as_root cp "$work/target/$WASM_TARGET/release/deps/"lib{core,alloc,compiler_builtins}-*.rlib "$DEBIAN_RUSTLIB/$WASM_TARGET/lib/"
	rm -rf "$work"
	# Objects of an earlier core do not go with the new one.
	rm -rf "$(target_dir)"/*/wbuild
}

# A container engine: the one that answers, else the distribution's, started if this user may.
setup_docker() {
	[[ ${MODICUM_SKIP_DOCKER:-} == 1 ]] && return
	# What base images are made of, and what jobs write to.
	if have apt-get; then
		need_packages busybox-static e2fsprogs
		# Another client and another server of the directory's protocol, whose package starts a service where there are any.
		if [[ -n ${CI:-} ]]; then need_packages docker-registry skopeo; fi
	fi
	if have docker && timeout 20 docker info >/dev/null 2>&1; then return; fi
	if ! have dockerd; then
		have apt-get || die "no container engine answers: install Docker Engine 20.10 or newer, or set MODICUM_SKIP_DOCKER=1"
		need_packages docker.io iptables
	fi
	if have systemctl && systemctl is-system-running >/dev/null 2>&1; then
		say "starting the Docker engine"
		as_root systemctl start docker || die "Docker did not start: see 'journalctl -u docker'"
		docker info >/dev/null 2>&1 ||
			die "you may not use the Docker engine: 'sudo usermod -aG docker $USER', log in again, or set MODICUM_SKIP_DOCKER=1"
	elif [[ $(id -u) -ne 0 ]]; then
		die "the Docker engine does not run: start it as root (dockerd), or set MODICUM_SKIP_DOCKER=1"
	else
		say "no service manager: demo and tests start an engine of their own and stop it again"
	fi
}

setup_build_tools
setup_rust
setup_wasm
setup_docker
say "everything is here"

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How the directory's own binary is linked.

fn main() {
	println!("cargo:rerun-if-changed=build.rs");
	// Relocations in their packed form are a megabyte less to read, and to keep in memory, at every start. The
	// C library must be as new as Debian 12's, in which the binary is for tests and for trying out.
	let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
	if target("OS") == "linux" && target("ENV") == "gnu" {
		println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Compiles the runtime to WASM.

#[cfg(all(feature = "std", feature = "metadata-hash"))]
fn main() {
	substrate_wasm_builder::WasmBuilder::init_with_defaults()
		.enable_metadata_hash("MOD", 12)
		.build();
}

#[cfg(all(feature = "std", not(feature = "metadata-hash")))]
fn main() {
	substrate_wasm_builder::WasmBuilder::build_using_defaults();
}

// The WASM builder calls this one: there is nothing to build within the build.
#[cfg(not(feature = "std"))]
fn main() {}

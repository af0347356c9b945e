// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Compiles the runtime to WASM once more, with the feature that raises its version.

#[cfg(feature = "std")]
fn main() {
	substrate_wasm_builder::WasmBuilder::init_with_defaults().enable_feature("blob").build();
}

// The WASM builder calls this one: there is nothing to build within the build.
#[cfg(not(feature = "std"))]
fn main() {}

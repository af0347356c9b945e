// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Puts the commit into `modicum-node --version`.

fn main() {
	modicum_build_version::emit("SUBSTRATE_CLI_IMPL_VERSION");
}

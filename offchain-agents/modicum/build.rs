// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Puts the commit into `modicum --version`.

fn main() {
	modicum_build_version::emit("MODICUM_VERSION");
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! No code: see the comments in `Cargo.toml`.

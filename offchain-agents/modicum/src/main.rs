// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The MODiCuM agents and their command line.

fn main() {}

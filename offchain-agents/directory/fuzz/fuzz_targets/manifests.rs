// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! See `checks::manifests`.

#![no_main]

#[allow(dead_code)]
#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::manifests(bytes));

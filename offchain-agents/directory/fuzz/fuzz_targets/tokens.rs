// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! See `checks::tokens`.

#![no_main]

#[allow(dead_code)]
#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::tokens(text));

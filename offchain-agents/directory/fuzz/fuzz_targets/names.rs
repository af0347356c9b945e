// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! See `checks::names`.

#![no_main]

#[allow(dead_code)]
#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::names(text));

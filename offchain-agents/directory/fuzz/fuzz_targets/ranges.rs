// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! See `checks::ranges`.

#![no_main]

#[allow(dead_code)]
#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: (&str, u64)| checks::ranges(input.0, input.1));

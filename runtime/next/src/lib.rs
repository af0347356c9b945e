// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The runtime with a spec version one higher and nothing else changed: what tests of runtime
//! upgrades upgrade to.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(missing_docs, reason = "the included file is generated")]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

#[cfg(feature = "blob")]
pub use modicum_runtime::*;

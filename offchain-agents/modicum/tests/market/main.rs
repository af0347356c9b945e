// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The whole market as its users meet it: every role as a process of its own on a real chain.

#![allow(clippy::unwrap_used)]

mod away;
mod clock;
#[path = "../common/mod.rs"]
mod common;
mod disk;
mod duplicates;
mod endings;
mod faults;
mod kills;
mod light;
mod stops;
mod upgrade;

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs from folders and files from results, without an engine.

#![allow(clippy::unwrap_used)]

mod job_file;
mod pack;
mod unpack;

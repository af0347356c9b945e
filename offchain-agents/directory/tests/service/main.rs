// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The directory as a client meets it: a real server on loopback and real requests.

#![allow(clippy::unwrap_used, missing_docs)]

mod accounts;
mod client;
mod collection;
mod common;
mod conformance;
mod crash;
mod docker;
mod faults;
mod operation;
mod root;
mod s3;
mod tls;

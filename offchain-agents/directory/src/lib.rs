// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Content-addressed storage that both sides trust, over the OCI distribution protocol.
//!
//! Jobs, data and results travel through a directory (docs/protocol.md §13). It keeps blobs by the
//! SHA-256 of their bytes and manifests that name them, and speaks the protocol of container
//! registries, so that any client of those works with it, and any registry can stand in its place.
//! On top of that protocol it has four things of its own: logins signed by accounts of the chain
//! ([`login`]), rules of access that follow from the state of the chain ([`access`]), signed receipts
//! ([`receipt`]) and a signed record of its uptime ([`uptime`]).
//!
//! ```text
//!   http ──▶ login, token, access          who may
//!     │
//!     ├────▶ uploads ──▶ store             bytes: gathered in a file, then published at once
//!     └────▶ index                         rows: one transaction after the bytes are there
//!                ▲
//!   upkeep ──────┘                         collects, reads again, signs heartbeats
//! ```
//!
//! The agents reach this directory, or any registry in its place, by [`client`].
//!
//! See docs/directory.md for names, access and formats.

pub mod access;
pub mod account;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod digest;
pub mod error;
pub mod http;
pub mod index;
pub mod login;
pub mod manifest;
pub mod metrics;
pub mod names;
pub mod ranges;
pub mod receipt;
pub mod service;
pub mod sign;
pub mod store;
pub mod token;
pub mod upkeep;
pub mod uploads;
pub mod uptime;

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The MODiCuM chain's full node and validator.
//!
//! - `cli`: the command line.
//! - `command`: what each subcommand does.
//! - `chain_spec`: the networks that the node knows by name.
//! - `service`: the running node, put together from the client's parts.
//! - `rpc`: JSON-RPC methods beyond the common ones.

#![allow(clippy::result_large_err, reason = "the errors of the SDK are what they are")]

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
	command::run()
}

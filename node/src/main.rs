// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The MODiCuM chain's full node and validator.
//!
//! - `cli`: the command line.
//! - `command`: what each subcommand does.
//! - `chain_spec`: the networks that the node knows by name.
//! - `service`: the running node, put together from the client's parts.
//! - `rpc`: JSON-RPC methods beyond the common ones.
//! - `ports`: refuses to start where a port is taken.

#![allow(clippy::result_large_err, reason = "the errors of the SDK are what they are")]

mod chain_spec;
mod cli;
mod command;
mod ports;
mod rpc;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			let text = match error {
				// It would say "Other: " before.
				sc_cli::Error::Service(sc_service::Error::Other(text)) => text,
				error => error.to_string(),
			};
			eprintln!("Error: {text}");
			ExitCode::FAILURE
		},
	}
}

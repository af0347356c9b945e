// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]

mod agents;
mod amount;
mod cli;
mod commands;
mod config;
mod context;
mod directory_view;
mod failure;
mod keys;
mod memory;
mod output;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
	// Usage errors, help and versions end here, with codes 2 and 0.
	let cli = match cli::parse(std::env::args_os()) {
		Ok(cli) => cli,
		Err(error) if error.use_stderr() && cli::wants_json(std::env::args_os()) => {
			let message = error.to_string();
			let message = message.trim_start_matches("error: ").trim_end();
			let failure = failure::Failure::new(failure::Exit::Usage, message);
			output::print_failure(output::Format::Json, &failure);
			return failure.exit.into();
		},
		Err(error) => error.exit(),
	};
	let format = cli.global.output;
	// A directory serves many at once, and moves more than it keeps.
	if !matches!(cli.command, cli::Command::Directory(_)) {
		memory::keep_little();
	}
	let outcome = tokio::runtime::Builder::new_multi_thread()
		.enable_all()
		.build()
		.map_err(|error| failure::Failure::internal(format!("no runtime: {error}")))
		.and_then(|runtime| {
			let outcome = runtime.block_on(commands::run(cli));
			// Background tasks of a lost connection must not keep a command that is done.
			runtime.shutdown_background();
			outcome
		});
	match outcome {
		Ok(exit) => exit.into(),
		Err(failure) => {
			output::print_failure(format, &failure);
			failure.exit.into()
		},
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum economics`.

use crate::{
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{print_line, Format},
};
use clap::Args;
use modicum_economics::cli::{self, CliError, EconomicsCommand};

/// Arguments of `economics`.
#[derive(Args, Debug, Clone)]
pub struct EconomicsArgs {
	/// Take the parameters from the chain instead of those that the chain starts with
	#[arg(long, global = true)]
	pub from_chain: bool,
	/// The verb.
	#[command(subcommand)]
	pub command: EconomicsCommand,
}

/// Runs a command of `economics`.
pub async fn run(context: &Context, args: EconomicsArgs) -> Outcome {
	let parameters = match args.from_chain {
		true => Some(context.chain().await?.snapshot().await?.parameters().await?),
		false => None,
	};
	let command = cli::EconomicsArgs { command: args.command };
	let json = context.format == Format::Json;
	// Simulations take seconds of computing.
	let run = tokio::task::spawn_blocking(move || cli::run(&command, json, parameters.as_ref()));
	let answer = run.await.map_err(Failure::internal)?;
	print_line(&answer.map_err(|error| {
		let exit = match &error {
			CliError::Economics(_) | CliError::Population { .. } => Exit::Usage,
			CliError::File { .. } => Exit::File,
			CliError::Json(_) => Exit::Internal,
		};
		Failure::new(exit, error)
	})?);
	Ok(Exit::Success)
}

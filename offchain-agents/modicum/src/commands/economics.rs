// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum economics`.

use crate::{
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{print_line, Format},
};
use clap::Args;
use modicum_chain_client::Chain;
use modicum_economics::cli::{self, ChainParameters, CliError, EconomicsCommand};
use std::time::Duration;

/// Arguments of `economics`.
#[derive(Args, Debug, Clone)]
pub struct EconomicsArgs {
	/// Do not ask the chain for θ and n: use those that the chain starts with
	#[arg(long, global = true)]
	pub offline: bool,
	/// The verb.
	#[command(subcommand)]
	pub command: EconomicsCommand,
}

/// Runs a command of `economics`.
pub async fn run(context: &Context, args: EconomicsArgs) -> Outcome {
	let command = cli::EconomicsArgs { command: args.command };
	let parameters = match !args.offline && command.asks_the_chain() {
		true => present_parameters(context).await?,
		false => ChainParameters::NotAsked,
	};
	let json = context.format == Format::Json;
	// Simulations take seconds of computing.
	let run = tokio::task::spawn_blocking(move || cli::run(&command, json, &parameters));
	let answer = run.await.map_err(Failure::internal)?;
	let answer = answer.map_err(|error| {
		let exit = match &error {
			CliError::Economics(_)
			| CliError::Population { .. }
			| CliError::OptionUnused { .. } => Exit::Usage,
			CliError::File { .. } => Exit::File,
			CliError::Json(_) => Exit::Internal,
		};
		Failure::new(exit, error)
	})?;
	print_line(&answer.text);
	Ok(if answer.is_good { Exit::Success } else { Exit::CheckFailed })
}

/// The chain's parameters. The model is of use without a chain, so one that does not answer at
/// once is no failure: the report says so.
async fn present_parameters(context: &Context) -> Outcome<ChainParameters> {
	let mut connection = context.config.connection()?;
	connection.patience = Duration::from_secs(1);
	let asked = async { Chain::connect(connection).await?.snapshot().await?.parameters().await };
	match asked.await {
		Ok(parameters) => Ok(ChainParameters::Present(parameters)),
		Err(error) => match Failure::from(error) {
			failure if failure.exit == Exit::ChainUnreachable => Ok(ChainParameters::Unreachable),
			failure => Err(failure),
		},
	}
}

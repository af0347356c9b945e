// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What each noun does. One file for each.

pub mod account;
pub mod audit;
pub mod audit_rules;
pub mod chain;
pub mod config;
pub mod council;
pub mod directory;
pub mod earnings;
pub mod economics;
pub mod executor;
pub mod job;
pub mod job_show;
pub mod job_submit;
pub mod job_tools;
pub mod key;
pub mod lists;
pub mod market;
pub mod risk;
pub mod roles;
pub mod run;
pub mod shell;

use crate::{
	cli::{Cli, Command, SolverCommand},
	config::{given_file, Loaded},
	context::Context,
	failure::{Exit, Outcome},
	telemetry,
};

/// Runs a command.
///
/// # Errors
/// Whatever the command could not do; the failure says what to do about it.
pub async fn run(cli: Cli) -> Outcome {
	// These need no settings, and must work while the settings are wrong.
	let command = match cli.command {
		Command::Completions(args) => return shell::completions(cli.global.output, &args),
		Command::Man(args) => return shell::man(cli.global.output, &args),
		Command::Config(command) => return config::run(command, &cli.global),
		command => command,
	};
	let environment = |name: &str| std::env::var(name).ok();
	let file = given_file(cli.global.config.as_deref());
	let loaded = Loaded::read(file.as_deref(), &environment, &cli.global.settings())?;
	telemetry::start(&loaded.config.log)?;
	let context = Context { config: loaded.config, format: cli.global.output };
	match command {
		Command::Key(command) => key::run(&context, command),
		Command::Account(command) => account::run(&context, command).await,
		Command::Chain(command) => chain::run(&context, command).await,
		Command::Council(command) => council::run(&context, command).await,
		Command::Creator(command) => roles::creator(&context, command).await,
		Command::Provider(command) => roles::provider(&context, command).await,
		Command::Mediator(command) => roles::mediator(&context, command).await,
		Command::Directory(command) => directory::run(&context, command).await,
		Command::Solver(SolverCommand::Run) => run::solver(&context).await,
		Command::Solver(SolverCommand::Status(who)) => {
			lists::solver_status(&context, who.account).await
		},
		Command::Job(command) => job::run(&context, command).await,
		Command::Offer(command) => market::offer(&context, command).await,
		Command::Match(command) => market::matches(&context, command).await,
		Command::Economics(args) => economics::run(&context, args).await,
		// Done above.
		Command::Config(_) | Command::Completions(_) | Command::Man(_) => Ok(Exit::Success),
	}
}

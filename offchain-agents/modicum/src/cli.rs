// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The command line: a noun, a verb, and what they need.

use crate::{
	commands::{
		account::AccountCommand,
		chain::ChainCommand,
		config::ConfigCommand,
		council::CouncilCommand,
		directory::DirectoryCommand,
		economics::EconomicsArgs,
		job::JobCommand,
		key::KeyCommand,
		market::{MatchCommand, OfferCommand},
		roles::{CreatorCommand, MediatorCommand, ProviderCommand, WhoArgs},
		shell::{CompletionsArgs, ManArgs},
	},
	config::LogFormat,
	failure::Exit,
	output::Format,
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use modicum_chain_client::{AccountId, Key};
use std::{ffi::OsString, path::PathBuf};

/// A market for computing power: run jobs on other people's machines, or be paid for running theirs
#[derive(Parser, Debug)]
#[command(name = "modicum", version = env!("MODICUM_VERSION"), propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes, settings and examples: modicum man, or the README.")]
pub struct Cli {
	/// What holds for every command.
	#[command(flatten)]
	pub global: GlobalArgs,
	/// The noun.
	#[command(subcommand)]
	pub command: Command,
}

/// What holds for every command.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
	/// Settings [default: the file that MODICUM_CONFIG names, or ~/.config/modicum/modicum.toml]
	#[arg(long, global = true, value_name = "FILE")]
	pub config: Option<PathBuf>,
	/// Overrides a setting; may be repeated
	#[arg(long, global = true, value_name = "KEY=VALUE", value_parser = parse_setting)]
	pub set: Vec<(String, String)>,
	/// How to print the answer
	#[arg(long, global = true, value_enum, default_value_t)]
	pub output: Format,
	/// A node of the chain; may be repeated, in order of preference
	#[arg(long, global = true, value_name = "URL")]
	pub endpoint: Vec<String>,
	/// Use the embedded light client, with the chain's raw specification
	#[arg(long, global = true, value_name = "CHAIN_SPEC", conflicts_with = "endpoint")]
	pub light: Option<PathBuf>,
	/// The file with the account's secret
	#[arg(long, global = true, value_name = "FILE")]
	pub key_file: Option<PathBuf>,
	/// Log from this gravity on: off, error, warn, info, debug, trace
	#[arg(long, global = true, value_name = "LEVEL")]
	pub log_level: Option<String>,
	/// How to write logs
	#[arg(long, global = true, value_enum, value_name = "FORMAT")]
	pub log_format: Option<LogFormat>,
}

/// The nouns.
#[derive(Subcommand, Debug)]
pub enum Command {
	/// Make and look at the account's key
	#[command(subcommand)]
	Key(KeyCommand),
	/// Look at accounts and send money
	#[command(subcommand)]
	Account(AccountCommand),
	/// Look at the chain, and make calls that are not the market's
	#[command(subcommand)]
	Chain(ChainCommand),
	/// See and decide the council's motions
	#[command(subcommand)]
	Council(CouncilCommand),
	/// Have jobs run: the role of job creator
	#[command(subcommand)]
	Creator(CreatorCommand),
	/// Be paid for running jobs: the role of resource provider
	#[command(subcommand)]
	Provider(ProviderCommand),
	/// Decide disputes: the role of mediator
	#[command(subcommand)]
	Mediator(MediatorCommand),
	/// Store jobs and results: the role of directory
	#[command(subcommand)]
	Directory(DirectoryCommand),
	/// Find matches: the role of solver, which needs no registration
	#[command(subcommand)]
	Solver(SolverCommand),
	/// Submit jobs and look after them
	#[command(subcommand)]
	Job(JobCommand),
	/// Look at what is offered and asked for
	#[command(subcommand)]
	Offer(OfferCommand),
	/// Look at matches
	#[command(subcommand)]
	Match(MatchCommand),
	/// Reckon with the market's game: deposits, penalties, honesty
	Economics(EconomicsArgs),
	/// Write and check settings
	#[command(subcommand)]
	Config(ConfigCommand),
	/// Print what makes a shell complete modicum's commands
	Completions(CompletionsArgs),
	/// Write the manual's pages
	Man(ManArgs),
}

/// The verbs of `solver`.
#[derive(Subcommand, Debug, Clone)]
pub enum SolverCommand {
	/// Find and post matches until stopped
	Run,
	/// Show a solver's money, and what there is to be matched
	Status(WhoArgs),
}

impl GlobalArgs {
	/// The settings that the command line makes, as pairs of key and value. Later ones win.
	pub fn settings(&self) -> Vec<(String, String)> {
		let mut settings = self.set.clone();
		let mut add = |key: &str, value: String| settings.push((key.into(), value));
		if !self.endpoint.is_empty() {
			add("chain.way", "rpc".into());
			add("chain.endpoints", self.endpoint.join(","));
		}
		if let Some(chain_spec) = &self.light {
			add("chain.way", "light".into());
			add("chain.chain_spec", chain_spec.display().to_string());
		}
		if let Some(file) = &self.key_file {
			add("account.key_file", file.display().to_string());
		}
		if let Some(level) = &self.log_level {
			add("log.level", level.clone());
		}
		if let Some(format) = self.log_format {
			let format = if format == LogFormat::Json { "json" } else { "text" };
			add("log.format", format.into());
		}
		settings
	}
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
	let (key, value) =
		text.split_once('=').ok_or("must be KEY=VALUE, such as chain.patience=2m")?;
	Ok((key.trim().into(), value.trim().into()))
}

/// An account as people name it: its address, its 32 bytes in hexadecimal, or the path of a development account.
pub fn parse_account(text: &str) -> Result<AccountId, String> {
	if text.starts_with("//") {
		return Key::from_secret(text).map(|key| key.account()).map_err(|e| e.to_string());
	}
	if let Some(digits) = text.strip_prefix("0x") {
		let mut bytes = [0; 32];
		hex::decode_to_slice(digits, &mut bytes)
			.map_err(|_| "an account in hexadecimal has 64 digits after 0x")?;
		return Ok(AccountId(bytes));
	}
	text.parse().map_err(|_| {
		"is no account's address: a letter or digit is missing or wrong. Copy it whole; it starts with 5".into()
	})
}

/// 32 bytes in hexadecimal, with or without `0x` or `sha256:`.
pub fn parse_digest(text: &str) -> Result<[u8; 32], String> {
	let digits = text.trim_start_matches("sha256:").trim_start_matches("0x");
	let mut bytes = [0; 32];
	hex::decode_to_slice(digits, &mut bytes)
		.map_err(|_| "must be 64 hexadecimal digits, with or without sha256:")?;
	Ok(bytes)
}

/// The options of [`GlobalArgs`] that may be repeated. Given both before and after a verb, clap keeps only the
/// latter of an option that is global; so here each level of the command line has its own, and they are collected.
const REPEATED: [&str; 2] = ["set", "endpoint"];

/// Reads a command line.
///
/// # Errors
/// It is wrong, or asks for help or the version.
pub fn parse(
	arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Cli, clap::Error> {
	let mut command = command();
	let mut repeated = Vec::new();
	for name in REPEATED {
		command = command.mut_arg(name, |argument| argument.global(false));
		repeated
			.extend(command.get_arguments().find(|argument| argument.get_id() == name).cloned());
	}
	let matches = with_own(command, &repeated).try_get_matches_from(arguments)?;
	let mut cli = Cli::from_arg_matches(&matches)?;
	cli.global.set = collected(&matches, "set");
	cli.global.endpoint = collected(&matches, "endpoint");
	Ok(cli)
}

/// Whether a command line, even a wrong one, asks for answers in JSON.
pub fn wants_json(arguments: impl IntoIterator<Item = OsString>) -> bool {
	let mut last = OsString::new();
	arguments.into_iter().any(|argument| {
		let asked = argument == "--output=json" || (last == "--output" && argument == "json");
		last = argument;
		asked
	})
}

/// Gives every verb below a command these arguments too.
fn with_own(command: clap::Command, arguments: &[clap::Arg]) -> clap::Command {
	command.mut_subcommands(|verb| with_own(verb.args(arguments.iter().cloned()), arguments))
}

/// What an option was given, from the first level of the command line to the last.
fn collected<T: Clone + Send + Sync + 'static>(matches: &clap::ArgMatches, name: &str) -> Vec<T> {
	let own = matches.get_many::<T>(name).into_iter().flatten().cloned();
	let below = matches.subcommand().map(|(_, below)| collected(below, name));
	own.chain(below.into_iter().flatten()).collect()
}

/// The whole command line, for completions and the manual. The codes are in the manual.
pub fn command() -> clap::Command {
	let codes: Vec<_> = Exit::ALL
		.iter()
		.map(|exit| format!("  {:>2}  {}: {}", exit.code(), exit.name(), exit.meaning()))
		.collect();
	Cli::command().after_long_help(format!("Exit codes:\n{}", codes.join("\n")))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn the_command_line_is_consistent() {
		command().debug_assert();
	}

	#[test]
	fn no_command_has_an_option_that_hides_a_global_one() {
		fn check(command: &clap::Command, globals: &[String]) {
			for verb in command.get_subcommands() {
				let own = verb.get_arguments().filter(|arg| !arg.is_global_set());
				for name in own.filter_map(|arg| arg.get_long()) {
					assert!(!globals.iter().any(|g| g == name), "{}: --{name}", verb.get_name());
				}
				check(verb, globals);
			}
		}
		let command = command();
		let globals = command.get_arguments().filter(|arg| arg.is_global_set());
		let globals: Vec<_> = globals.filter_map(|arg| arg.get_long()).map(String::from).collect();
		assert!(globals.contains(&"endpoint".into()));
		check(&command, &globals);
	}

	#[test]
	fn accounts_can_be_named_in_three_ways() {
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		let digits = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
		assert_eq!(parse_account(alice).unwrap(), parse_account("//Alice").unwrap());
		assert_eq!(parse_account(alice).unwrap(), parse_account(digits).unwrap());
		for wrong in ["", "5GrwvaEF", &alice[1..], "0x12", "//"] {
			assert!(parse_account(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn settings_before_and_after_the_verb_add_up_and_the_last_wins() {
		let line =
			"modicum --set log.level=info --endpoint ws://127.0.0.1:1 chain --set log.format=json \
		            status --set log.level=debug --endpoint ws://127.0.0.1:2";
		let settings = parse(line.split_whitespace()).unwrap().global.settings();
		let of = |key: &str| {
			let found = settings.iter().filter(|(name, _)| name == key);
			found.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
		};
		assert_eq!(of("log.level"), ["info", "debug"]);
		assert_eq!(of("log.format"), ["json"]);
		assert_eq!(of("chain.endpoints"), ["ws://127.0.0.1:1,ws://127.0.0.1:2"]);
	}

	#[test]
	fn flags_are_settings() {
		let cli = parse([
			"modicum",
			"chain",
			"status",
			"--endpoint",
			"ws://127.0.0.1:1",
			"--set",
			"log.level=info",
		]);
		let settings = cli.unwrap().global.settings();
		assert!(settings.contains(&("chain.endpoints".into(), "ws://127.0.0.1:1".into())));
		assert!(settings.contains(&("log.level".into(), "info".into())));
		assert!(parse(["modicum", "--set", "nonsense", "chain", "status"]).is_err());
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Where settings come from, and which of several wins.

use super::{
	keys::{lookup, table, Key, KEYS},
	usual_file, Config, FILE_VARIABLE,
};
use crate::failure::{Exit, Failure, Outcome};
use serde::Serialize;
use std::{
	collections::BTreeMap,
	io::ErrorKind,
	path::{Path, PathBuf},
};
use toml::Value;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
	/// Nobody set it.
	Default,
	/// The file.
	File,
	/// This environment variable.
	Environment(String),
	/// The command line.
	CommandLine,
}

impl Source {
	/// For people.
	pub fn text(&self) -> &str {
		match self {
			Self::Default => "default",
			Self::File => "file",
			Self::Environment(variable) => variable,
			Self::CommandLine => "command line",
		}
	}
}

/// Settings, and where each comes from.
#[derive(Debug)]
pub struct Loaded {
	/// The settings.
	pub config: Config,
	/// The file that was read, if one was.
	pub file: Option<PathBuf>,
	/// The source of every key.
	pub sources: BTreeMap<&'static str, Source>,
}

impl Loaded {
	/// Reads the file (`given`, or the usual one if it is there), then takes what `environment` and the command
	/// line (pairs of key and value) set.
	///
	/// # Errors
	/// Names the key, says where it was set and what it may be.
	pub fn read(
		given: Option<&Path>,
		environment: &dyn Fn(&str) -> Option<String>,
		command_line: &[(String, String)],
	) -> Outcome<Self> {
		let (mut settings, file) = read_file(given)?;
		let mut sources: BTreeMap<_, _> = KEYS
			.iter()
			.map(|key| match lookup(&settings, key.name) {
				Some(_) => (key.name, Source::File),
				None => (key.name, Source::Default),
			})
			.collect();
		let defaults = table(&Config::default());
		for key in KEYS {
			let variable = key.variable();
			if let Some(text) = environment(&variable) {
				set(&mut settings, key, parse(&defaults, key, &text, &variable)?)?;
				sources.insert(key.name, Source::Environment(variable));
			}
		}
		for (name, text) in command_line {
			let key = KEYS.iter().find(|key| key.name == name).ok_or_else(|| unknown(name))?;
			set(&mut settings, key, parse(&defaults, key, text, "the command line")?)?;
			sources.insert(key.name, Source::CommandLine);
		}
		let config = deserialize(settings, &sources, file.as_deref())?;
		Ok(Self { config, file, sources })
	}
}

/// The file that the user named: on the command line, or else in the environment.
pub fn given_file(command_line: Option<&Path>) -> Option<PathBuf> {
	let named = || std::env::var_os(FILE_VARIABLE).filter(|file| !file.is_empty());
	command_line.map(Path::to_path_buf).or_else(|| named().map(PathBuf::from))
}

/// Reads the file, if there is one.
fn read_file(given: Option<&Path>) -> Outcome<(toml::Table, Option<PathBuf>)> {
	let path = given.map_or_else(usual_file, Path::to_path_buf);
	let text = match std::fs::read_to_string(&path) {
		Ok(text) => text,
		// Only a file that was asked for must be there.
		Err(error) if error.kind() == ErrorKind::NotFound && given.is_none() => {
			return Ok((toml::Table::new(), None));
		},
		Err(error) => {
			let remedy = "write one with `modicum config init`";
			return Err(Failure::file(&path, format!("{error}; {remedy}")));
		},
	};
	let settings = text.parse::<toml::Table>().map_err(|error| {
		Failure::new(Exit::Config, format!("{}: {}", path.display(), error.to_string().trim_end()))
	})?;
	Ok((settings, Some(path)))
}

fn unknown(name: &str) -> Failure {
	let keys: Vec<_> = KEYS.iter().map(|key| key.name).collect();
	Failure::new(
		Exit::Config,
		format!("{name}: there is no such key; there are {}", keys.join(", ")),
	)
}

/// A text from the environment or the command line as the kind of value that the key has.
fn parse(defaults: &toml::Table, key: &Key, text: &str, source: &str) -> Outcome<Value> {
	let fail = |kind: &str| {
		let message = format!("{}: `{text}` is not {kind} (from {source})", key.name);
		Failure::new(Exit::Config, message)
	};
	Ok(match lookup(defaults, key.name) {
		Some(Value::Boolean(_)) => Value::Boolean(text.parse().map_err(|_| fail("true or false"))?),
		Some(Value::Integer(_)) => Value::Integer(text.parse().map_err(|_| fail("a number"))?),
		Some(Value::Array(_)) => {
			let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
			Value::Array(parts.map(|part| Value::String(part.into())).collect())
		},
		_ => Value::String(text.into()),
	})
}

fn set(settings: &mut toml::Table, key: &Key, value: Value) -> Outcome<()> {
	let (section, name) = key.name.split_once('.').expect("every key has a section; qed");
	let section_of = settings.entry(section).or_insert_with(|| Value::Table(toml::Table::new()));
	let Some(table) = section_of.as_table_mut() else {
		let message = format!("{section}: must be a section, written [{section}]");
		return Err(Failure::new(Exit::Config, message));
	};
	table.insert(name.into(), value);
	Ok(())
}

fn deserialize(
	settings: toml::Table,
	sources: &BTreeMap<&'static str, Source>,
	file: Option<&Path>,
) -> Outcome<Config> {
	let config: Result<Config, _> = serde_path_to_error::deserialize(Value::Table(settings));
	let config = config.map_err(|error| {
		let key = error.path().to_string();
		let source = match (sources.get(key.as_str()), file) {
			(Some(Source::File) | None, Some(file)) => format!("in {}", file.display()),
			(Some(source), _) => format!("from {}", source.text()),
			(None, None) => "from the command line".into(),
		};
		let problem = error.inner().message();
		Failure::new(Exit::Config, format!("{key}: {} ({source})", problem.trim()))
	})?;
	config.validate()?;
	Ok(config)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use std::time::Duration;

	fn read(
		file: &str,
		environment: &[(&str, &str)],
		command_line: &[(&str, &str)],
	) -> Outcome<Loaded> {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("modicum.toml");
		std::fs::write(&path, file).unwrap();
		let environment = |name: &str| {
			environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
		};
		let command_line: Vec<_> =
			command_line.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
		Loaded::read(Some(&path), &environment, &command_line)
	}

	fn problem(file: &str, environment: &[(&str, &str)], command_line: &[(&str, &str)]) -> String {
		let failure = read(file, environment, command_line).unwrap_err();
		assert_eq!(failure.exit, Exit::Config);
		failure.message
	}

	#[test]
	fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
		let file = "[chain]\nconnect_timeout = '1s'\nrequest_timeout = '1s'\nstall_timeout = '1s'";
		let environment =
			[("MODICUM_CHAIN_REQUEST_TIMEOUT", "2s"), ("MODICUM_CHAIN_STALL_TIMEOUT", "2s")];
		let loaded = read(file, &environment, &[("chain.stall_timeout", "3s")]).unwrap();
		let chain = &loaded.config.chain;
		assert_eq!(chain.connect_timeout.0, Duration::from_secs(1));
		assert_eq!(chain.request_timeout.0, Duration::from_secs(2));
		assert_eq!(chain.stall_timeout.0, Duration::from_secs(3));
		assert_eq!(loaded.sources["chain.connect_timeout"], Source::File);
		assert_eq!(loaded.sources["chain.stall_timeout"], Source::CommandLine);
		assert_eq!(loaded.sources["chain.patience"], Source::Default);
	}

	#[test]
	fn every_kind_of_value_can_come_from_the_environment() {
		let environment = [
			("MODICUM_CHAIN_ENDPOINTS", "wss://one.example, wss://two.example"),
			("MODICUM_CHAIN_ALLOW_INSECURE", "true"),
			("MODICUM_TRANSACTIONS_MORTALITY_BLOCKS", "128"),
			("MODICUM_TRANSACTIONS_MAX_FEE", "0.25"),
			("MODICUM_LOG_FORMAT", "json"),
		];
		let config = read("", &environment, &[]).unwrap().config;
		assert_eq!(config.chain.endpoints, ["wss://one.example", "wss://two.example"]);
		assert!(config.chain.allow_insecure);
		assert_eq!(config.transactions.mortality_blocks, 128);
		assert_eq!(config.transactions.max_fee.0, 250_000_000_000);
		assert_eq!(config.log.format, super::super::LogFormat::Json);
	}

	#[test]
	fn errors_name_the_key_and_where_it_was_set() {
		let message = problem("[chain]\nendpoint = 'ws://localhost'", &[], &[]);
		assert!(message.contains("chain") && message.contains("endpoint"), "{message}");
		let message = problem("[chain]\npatience = 'soon'", &[], &[]);
		assert!(message.starts_with("chain.patience: `soon`"), "{message}");
		assert!(message.contains("modicum.toml"), "{message}");
		let message = problem("", &[("MODICUM_CHAIN_WAY", "pigeon")], &[]);
		assert!(message.starts_with("chain.way"), "{message}");
		assert!(message.contains("MODICUM_CHAIN_WAY"), "{message}");
		let message = problem("", &[], &[("transactions.attempts", "many")]);
		assert!(message.starts_with("transactions.attempts: `many`"), "{message}");
		let message = problem("", &[], &[("chain.speed", "1")]);
		assert!(message.starts_with("chain.speed: there is no such key"), "{message}");
		let message = problem("chain = 1", &[], &[("chain.way", "rpc")]);
		assert!(message.starts_with("chain: must be a section"), "{message}");
		assert!(problem("[chain", &[], &[]).contains("modicum.toml"));
	}

	#[test]
	fn values_that_cannot_be_are_refused_by_their_key() {
		for (key, value) in [
			("chain.endpoints", ""),
			("chain.endpoints", "http://127.0.0.1"),
			("chain.way", "light"),
			("chain.genesis_hash", "0x12"),
			("chain.connect_timeout", "0s"),
			("transactions.mortality_blocks", "63"),
			("transactions.mortality_blocks", "8192"),
			("transactions.attempts", "0"),
			("transactions.max_fee", "-1"),
			("executor.instance", "A B"),
			("provider.ram", "lots"),
			("provider.storage", "-1"),
			("log.level", "loud=very"),
		] {
			let message = problem("", &[], &[(key, value)]);
			let expected =
				if (key, value) == ("chain.way", "light") { "chain.chain_spec" } else { key };
			assert!(message.starts_with(expected), "{key} = {value}: {message}");
		}
	}

	#[test]
	fn a_file_that_was_asked_for_must_be_there() {
		let failure = Loaded::read(Some(Path::new("/nonexistent")), &|_| None, &[]).unwrap_err();
		assert_eq!(failure.exit, Exit::File);
		assert!(failure.message.contains("config init"), "{failure}");
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Logs, on the error output.

use crate::{
	config::{LogFormat, LogSection},
	failure::{Exit, Failure, Outcome},
};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging as the settings say.
pub fn start(settings: &LogSection) -> Outcome<()> {
	let filter = filter(&settings.level)
		.map_err(|problem| Failure::new(Exit::Config, format!("log.level: {problem}")))?;
	let logs = tracing_subscriber::fmt()
		.with_env_filter(filter)
		.with_ansi(std::io::stderr().is_terminal())
		.with_writer(std::io::stderr);
	let started = match settings.format {
		LogFormat::Text => logs.try_init(),
		LogFormat::Json => logs.json().try_init(),
	};
	started.map_err(|error| Failure::internal(format!("logs cannot be written: {error}")))
}

/// The filter that a level, or directives such as `info,modicum_chain_client=debug`, stand for. Libraries are
/// quieter than this project.
pub fn filter(level: &str) -> Result<EnvFilter, String> {
	let refused = |problem: &str| {
		format!(
			"`{level}` is neither a level (off, error, warn, info, debug, trace) nor a list such as \
			 info,modicum_chain_client=debug{problem}"
		)
	};
	let directives = if ["off", "error", "warn", "info", "debug", "trace"].contains(&level) {
		let quiet = if level == "info" { "warn" } else { level };
		format!(
			"{quiet},modicum={level},modicum_chain_client={level},modicum_directory={level},\
			 modicum_executor={level},smoldot=error,sync-service=error,json-rpc=error,soketto=error,\
			 jsonrpsee=error"
		)
	} else if level.contains('=') {
		level.to_string()
	} else {
		// A word alone would be taken for a program part whose logs are wanted, and nothing would be logged.
		return Err(refused(""));
	};
	EnvFilter::try_new(&directives).map_err(|error| refused(&format!(": {error}")))
}

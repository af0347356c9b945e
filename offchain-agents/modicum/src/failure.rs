// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How commands end: stable exit codes, and failures that say what to do.

use modicum_chain_client::{Error as ChainError, NamedCallError, SubmitError};
use serde::Serialize;
use std::{fmt, path::Path, process::ExitCode};

/// Declares the exit codes with their names and meanings.
macro_rules! exits {
	($($(#[doc = $doc:literal])* $name:ident = $code:literal, $text:literal;)*) => {
		/// How a command ended. The numbers and names do not change.
		#[derive(Debug, Clone, Copy, PartialEq, Eq)]
		pub enum Exit {
			$($(#[doc = $doc])* $name = $code),*
		}

		impl Exit {
			/// Every code.
			pub const ALL: &'static [Self] = &[$(Self::$name),*];

			/// The code's name in JSON.
			pub fn name(self) -> &'static str {
				match self { $(Self::$name => $text),* }
			}

			/// What the code means.
			pub fn meaning(self) -> &'static str {
				match self { $(Self::$name => concat!($($doc),*).trim_ascii()),* }
			}
		}
	};
}

exits! {
	/// Done.
	Success = 0, "success";
	/// Something failed that has no code of its own.
	Internal = 1, "internal";
	/// The command line is wrong.
	Usage = 2, "usage";
	/// A setting is wrong.
	Config = 3, "config";
	/// The account's key is missing or cannot be used.
	Key = 4, "key";
	/// The chain cannot be reached or does not answer.
	ChainUnreachable = 5, "chain-unreachable";
	/// The node is on another chain, or its runtime does not fit this program.
	ChainMismatch = 6, "chain-mismatch";
	/// The chain refused the transaction, or would: it was not sent, because of what it costs.
	Refused = 7, "refused";
	/// There is no such thing, or no more.
	NotFound = 8, "not-found";
	/// The directory cannot be reached or failed.
	Directory = 9, "directory";
	/// The container engine cannot be reached or failed.
	Engine = 10, "engine";
	/// A file cannot be read or written.
	File = 11, "file";
	/// What was to be checked is not as it should be.
	CheckFailed = 12, "check-failed";
	/// A transaction was sent, and nobody can say what became of it.
	OutcomeUnknown = 13, "outcome-unknown";
	/// The job ended without a result that could be accepted.
	JobFailed = 14, "job-failed";
	/// Ended by Ctrl-C or a service manager; what was begun on the chain goes on.
	Interrupted = 130, "interrupted";
}

impl Exit {
	/// The number.
	pub fn code(self) -> u8 {
		self as u8
	}
}

impl From<Exit> for ExitCode {
	fn from(exit: Exit) -> Self {
		Self::from(exit.code())
	}
}

/// A command that could not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
	/// How to end.
	#[serde(skip)]
	pub exit: Exit,
	/// What happened and what to do.
	pub message: String,
}

impl Failure {
	/// A failure.
	pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
		Self { exit, message: message.to_string() }
	}

	/// A failure that has no code of its own.
	pub fn internal(message: impl fmt::Display) -> Self {
		Self::new(Exit::Internal, message)
	}

	/// Something that is not there.
	pub fn not_found(what: impl fmt::Display) -> Self {
		Self::new(Exit::NotFound, what)
	}

	/// A file that cannot be read or written.
	pub fn file(path: &Path, error: impl fmt::Display) -> Self {
		Self::new(Exit::File, format!("{}: {error}", path.display()))
	}
}

impl fmt::Display for Failure {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.message)
	}
}

impl From<ChainError> for Failure {
	fn from(error: ChainError) -> Self {
		let exit = match &error {
			ChainError::Settings(_) => Exit::Config,
			ChainError::ChainSpec { .. } => Exit::File,
			ChainError::WrongChain { .. }
			| ChainError::StartedAnew { .. }
			| ChainError::IncompatibleRuntime { .. } => Exit::ChainMismatch,
			ChainError::Unreachable(_)
			| ChainError::Timeout { .. }
			| ChainError::Stalled { .. }
			| ChainError::LightClient(_)
			| ChainError::Request { .. } => Exit::ChainUnreachable,
		};
		Self::new(exit, error)
	}
}

impl From<NamedCallError> for Failure {
	fn from(error: NamedCallError) -> Self {
		Self::new(Exit::Usage, error)
	}
}

impl From<SubmitError> for Failure {
	fn from(error: SubmitError) -> Self {
		let exit = match error {
			SubmitError::Chain(error) => return error.into(),
			SubmitError::Refused { .. }
			| SubmitError::FeeAboveLimit { .. }
			| SubmitError::CannotPay { .. }
			| SubmitError::NotTaken { .. }
			| SubmitError::Expired { .. }
			| SubmitError::Forked { .. } => Exit::Refused,
			SubmitError::OutcomeUnknown { .. } => Exit::OutcomeUnknown,
			SubmitError::Stopped => Exit::Internal,
		};
		Self::new(exit, error)
	}
}

/// What commands return.
pub type Outcome<T = Exit> = Result<T, Failure>;

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_are_documented_and_do_not_change() {
		let readme = include_str!("../README.md");
		for exit in Exit::ALL {
			let row = format!("| {} | `{}` | {} |", exit.code(), exit.name(), exit.meaning());
			assert!(readme.contains(&row), "README.md lacks: {row}");
		}
		let codes: Vec<_> = Exit::ALL.iter().map(|exit| exit.code()).collect();
		assert_eq!(codes, (0..=14).chain([130]).collect::<Vec<_>>());
	}
}

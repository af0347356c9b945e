// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What can go wrong, in words for the person who has the job, with the remedy.

use std::{io, path::PathBuf};

use modicum_executor::ExecutorError;

/// Why something could not be packed, tried out or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum PackagingError {
	/// A file operation failed.
	#[error("cannot {what} {}: {source}", path.display())]
	Io {
		/// What was tried.
		what: &'static str,
		/// On which file or folder.
		path: PathBuf,
		/// The system's answer.
		source: io::Error,
	},
	/// The folder has no `job.toml`.
	#[error("{} has no job.toml: name the folder of a job, or write one like those in docker/jobs", .0.display())]
	NoJobFile(PathBuf),
	/// A key of `job.toml` breaks a rule.
	#[error("{}: key '{key}': {rule}", file.display())]
	Key {
		/// The file.
		file: PathBuf,
		/// The key, with its section: `limits.ram`.
		key: String,
		/// The rule that it breaks: what is wanted.
		rule: String,
	},
	/// `job.toml` is not TOML.
	#[error("{}: {why}", file.display())]
	NotToml {
		/// The file.
		file: PathBuf,
		/// Where and why.
		why: String,
	},
	/// `job.toml` has no limits, and a job cannot be offered without.
	#[error("{}: key 'limits' is missing: 'modicum job profile' runs the job here and proposes limits", .0.display())]
	NoLimits(PathBuf),
	/// The build script failed.
	#[error("{} {why}{}", script.display(), quoted(tail))]
	Build {
		/// The script.
		script: PathBuf,
		/// What happened.
		why: String,
		/// The last lines that it printed.
		tail: String,
	},
	/// A file cannot become part of a job.
	#[error("{} cannot go into the job: {why}", path.display())]
	Unfit {
		/// The file or folder.
		path: PathBuf,
		/// The reason, and the remedy.
		why: String,
	},
	/// No base of this name is installed.
	#[error(
		"the base '{name}' is not on this machine's engine: make and install it with '{remedy}'{}",
		others(installed)
	)]
	BaseMissing {
		/// Its name.
		name: String,
		/// The command that makes and installs it.
		remedy: String,
		/// The names of those that are installed.
		installed: Vec<String>,
	},
	/// The job would end as `BandwidthExceeded` before it starts.
	#[error("the job's files are {needed} bytes and its bandwidth limit is {limit}: raise limits.bandwidth to {needed} and what the output takes")]
	BandwidthTooSmall {
		/// What fetching the job takes, in bytes.
		needed: u64,
		/// The job's limit, in bytes.
		limit: u64,
	},
	/// An image of the local engine cannot become a job.
	#[error("image '{image}': {why}")]
	Image {
		/// The image as it was named.
		image: String,
		/// The reason, and the remedy.
		why: String,
	},
	/// A file is not a result archive as `docs/executor.md` defines it.
	#[error("{} is not a result: {why}", archive.display())]
	NotAResult {
		/// The file.
		archive: PathBuf,
		/// The first rule that it breaks.
		why: String,
	},
	/// Unpacking would overwrite something.
	#[error("{} exists already: move it away, or unpack to another folder", .0.display())]
	Exists(PathBuf),
	/// Somebody else is unpacking to the same place.
	#[error("another process is unpacking to {}: wait for it, or unpack to another folder", .0.display())]
	Busy(PathBuf),
	/// The job did not end as `Completed` where that was needed.
	#[error("the job ended as {status}: {reason}{}", quoted(log))]
	NotCompleted {
		/// The result status.
		status: String,
		/// The executor's reason.
		reason: String,
		/// The end of what the job printed.
		log: String,
	},
	/// A margin that makes no sense.
	#[error("a margin of {0} makes no sense: give the part to add, such as 0.5 for half as much again, at most 100")]
	BadMargin(f64),
	/// The executor's answer: a fault of the job, or this machine's.
	#[error(transparent)]
	Executor(#[from] ExecutorError),
}

impl PackagingError {
	pub(crate) fn io(
		what: &'static str,
		path: impl Into<PathBuf>,
	) -> impl FnOnce(io::Error) -> Self {
		let path = path.into();
		move |source| Self::Io { what, path, source }
	}
}

/// Lines of output below a message, if there are any.
fn quoted(text: &str) -> String {
	match text.trim_end() {
		"" => String::new(),
		lines => format!(". The last lines that it printed:\n{lines}"),
	}
}

fn others(installed: &[String]) -> String {
	match installed {
		[] => String::new(),
		names => format!(" (installed are: {})", names.join(", ")),
	}
}

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, PackagingError>;

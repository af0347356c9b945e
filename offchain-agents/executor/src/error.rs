// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What can go wrong, split by whose fault it is: the job's ([`JobFault`]) or the machine's.

use std::{io, path::PathBuf};

use modicum_primitives::{Architecture, Meter, ResultStatus};

use crate::{digest::Digest, run::RunId};

/// Why a job cannot be run as it is described. Every provider and mediator finds the same fault in
/// the same job, so each of these ends as the result status `JobDescriptionError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobFault {
	/// The descriptor is longer than [`crate::descriptor::MAX_DESCRIPTOR_BYTES`].
	#[error("the descriptor has {found} bytes, more than the {allowed} allowed")]
	DescriptorTooLong {
		/// Length found, in bytes.
		found: usize,
		/// Length allowed, in bytes.
		allowed: usize,
	},
	/// The descriptor is not JSON of the expected shape.
	#[error("the descriptor is not a job descriptor: {0}")]
	DescriptorMalformed(String),
	/// The descriptor is valid, but not in its canonical form.
	#[error(
		"the descriptor is not canonical JSON: write it with JobDescriptor::to_canonical_json"
	)]
	DescriptorNotCanonical,
	/// The descriptor's version is not known here.
	#[error("descriptor version {0} is not supported: this executor knows version {known}", known = crate::descriptor::DESCRIPTOR_VERSION)]
	UnsupportedVersion(u32),
	/// A field of the descriptor breaks a rule.
	#[error("descriptor field '{field}': {rule}")]
	InvalidField {
		/// The field's name as in the JSON.
		field: &'static str,
		/// The rule that it breaks.
		rule: String,
	},
	/// The job is made for another architecture than this machine's.
	#[error("the job is made for {wanted}, this machine is {here}")]
	WrongArchitecture {
		/// What the job wants.
		wanted: Architecture,
		/// What the machine is.
		here: Architecture,
	},
	/// No image on this machine has the job's base layers.
	#[error("the base {0} is not on this machine: install it (docker load) or remove it from the supported base layers")]
	BaseMissing(Digest),
	/// A layer's file is not the one that the descriptor names.
	#[error("the {layer} layer has {what} {found}, the descriptor says {expected}")]
	LayerMismatch {
		/// Which layer: `execution` or `data`.
		layer: &'static str,
		/// What differs: `size`, `digest`, `diff id` or `unpacked size`.
		what: &'static str,
		/// What the descriptor says.
		expected: String,
		/// What the file has.
		found: String,
	},
	/// A layer's file is not an archive that may become a layer.
	#[error("the {layer} layer is refused: {why}")]
	LayerRefused {
		/// Which layer: `execution` or `data`.
		layer: &'static str,
		/// The rule that it breaks, and the entry's name if there is one.
		why: String,
	},
	/// The job's layers and its base do not have the working directory.
	#[error("the working directory {path} {why}")]
	WorkingDirectory {
		/// What the descriptor says.
		path: String,
		/// What is wrong with it.
		why: &'static str,
	},
	/// The engine could not start the job's command.
	#[error("the job's command cannot be started: {0}")]
	CannotStart(String),
}

/// Why the executor could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
	/// The job's fault: report the status [`ResultStatus::JobDescriptionError`].
	#[error(transparent)]
	Job(#[from] JobFault),
	/// Nothing answers on the engine's socket.
	#[error("no container engine answers on {socket}: {detail}. Is it started, and may this user open the socket?")]
	EngineUnreachable {
		/// The socket tried.
		socket: String,
		/// What the connection said.
		detail: String,
	},
	/// `DOCKER_HOST` or the configuration names something that is not a local socket.
	#[error("'{0}' is not a local engine: jobs are metered through this machine's cgroups, so name a unix:// socket")]
	EngineNotLocal(String),
	/// The engine refused a request, or the connection to it broke.
	#[error("the engine failed to {what}: {source}")]
	Engine {
		/// What was asked of it.
		what: &'static str,
		/// Its answer.
		source: Box<dyn std::error::Error + Send + Sync>,
	},
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
	/// A system tool is missing or failed.
	#[error("{tool} failed: {detail}")]
	Tool {
		/// The tool's name.
		tool: &'static str,
		/// What it printed, or why it did not start.
		detail: String,
	},
	/// The machine cannot run jobs safely.
	#[error("this machine cannot run jobs: {0}. Run the doctor for the remedy")]
	Unsuitable(String),
	/// Instructions are counted by CPU time, and the machine's rate is not known yet.
	#[error("this machine is not calibrated: calibrate it once before the first job")]
	NotCalibrated,
	/// The machine has no such meter.
	#[error("this machine cannot count instructions by the meter {0}: offer another meter")]
	MeterUnavailable(Meter),
	/// The name of an instance or run is not usable.
	#[error("'{0}' is not a usable name: 1 to 32 of the characters a-z and 0-9, not 'probe' and not ending in 'holder'")]
	BadName(String),
	/// The set of CPUs is empty or not on this machine.
	#[error("the CPU set '{found}' is not usable: this machine has the CPUs 0 to {last}")]
	BadCpuSet {
		/// The set that was asked for.
		found: String,
		/// The last CPU of the machine.
		last: u32,
	},
	/// Another process uses the same state folder.
	#[error("another executor uses {}: give each its own state folder", .0.display())]
	InstanceInUse(PathBuf),
	/// The run was never prepared, or has been cleaned up.
	#[error("run {0} is not known here: prepare it first")]
	UnknownRun(RunId),
	/// The run is prepared for another job.
	#[error("run {0} is prepared for another job: clean it up first, or choose another name")]
	RunInUse(RunId),
	/// The run was cancelled by its owner.
	#[error("run {0} was cancelled")]
	Cancelled(RunId),
	/// The run was cut off by somebody else, or its figures are lost in a restart of the machine.
	#[error("run {0} was cut off by a restart or from outside: clean it up and run it again")]
	Interrupted(RunId),
}

impl ExecutorError {
	/// The result status to report, if the job is at fault; `None` if the machine is, which says
	/// nothing about the job.
	pub fn result_status(&self) -> Option<ResultStatus> {
		match self {
			Self::Job(_) => Some(ResultStatus::JobDescriptionError),
			_ => None,
		}
	}

	pub(crate) fn io(
		what: &'static str,
		path: impl Into<PathBuf>,
	) -> impl FnOnce(io::Error) -> Self {
		let path = path.into();
		move |source| Self::Io { what, path, source }
	}

	pub(crate) fn engine(what: &'static str) -> impl FnOnce(bollard::errors::Error) -> Self {
		move |source| Self::Engine { what, source: Box::new(source) }
	}
}

/// The result of everything the executor does.
pub type Result<T> = std::result::Result<T, ExecutorError>;

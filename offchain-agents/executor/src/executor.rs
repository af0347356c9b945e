// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The seam between the agents and whatever runs their jobs.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::{
	descriptor::Job,
	doctor::DoctorReport,
	error::Result,
	meter::Calibration,
	run::{RunId, RunOptions, RunReport},
};

/// Runs jobs. Every method may be called again after a crash with the same run: what was done is found and
/// continued, not done twice.
#[async_trait]
pub trait Executor: Send + Sync {
	/// The implementation's name, which its reports carry: `docker`, or `null` for the one that runs nothing.
	fn name(&self) -> &'static str;

	/// Whether what runs the jobs answers.
	///
	/// # Errors
	/// It does not, and why.
	async fn ping(&self) -> Result<()>;

	/// Examine the machine. `now` is the time according to someone else, such as the chain.
	async fn doctor(&self, now: Option<std::time::SystemTime>) -> Result<DoctorReport>;

	/// Measure what this machine's CPU time is worth and what starting a container costs, and keep it. Takes
	/// some seconds; other work on the machine spoils it. `None` without an own base image to start.
	async fn calibrate(&self) -> Result<Calibration>;

	/// Check the job's files against its descriptor and load what the machine lacks. After this the files are
	/// not needed any more.
	///
	/// # Errors
	/// [`crate::ExecutorError::Job`] for every fault of the job, before anything of it ran.
	async fn prepare(&self, run: &RunId, job: &Job) -> Result<()>;

	/// Run a prepared job to its end. A run that is going on already, from before a restart, is waited for;
	/// of one that is over the report is read again. Dropping the future does not stop the job.
	///
	/// # Errors
	/// Only what is not the job's doing: all ways in which a job can end are statuses of the report.
	async fn run(&self, run: &RunId, options: &RunOptions) -> Result<RunReport>;

	/// Stop a run. The waiting [`Self::run`] then fails with [`crate::ExecutorError::Cancelled`].
	async fn cancel(&self, run: &RunId) -> Result<()>;

	/// What a run prints: what there is, and with `follow` also what comes, up to its end.
	async fn logs(&self, run: &RunId, follow: bool)
		-> Result<BoxStream<'static, Result<LogChunk>>>;

	/// The runs that exist, for a caller that has just started again.
	async fn recover(&self) -> Result<Vec<RecoveredRun>>;

	/// Remove everything of a run, its output and log as well, and stop it if need be. No error if there is
	/// nothing.
	async fn clean_up(&self, run: &RunId) -> Result<()>;

	/// Remove everything of runs that are not in `keep` and older than `grace`; the runs removed. Only what
	/// this executor made is ever touched.
	async fn reconcile(&self, keep: &BTreeSet<RunId>, grace: Duration) -> Result<Vec<RunId>>;
}

/// A piece of what a job printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogChunk {
	/// Whether it was printed to standard error.
	pub error: bool,
	/// What was printed. Not necessarily text.
	pub bytes: Bytes,
}

/// A run found after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredRun {
	/// Its name.
	pub run: RunId,
	/// How far it got.
	pub phase: RunPhase,
}

/// How far a run got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunPhase {
	/// [`Executor::prepare`] began: call it again, or [`Executor::clean_up`].
	Preparing,
	/// Prepared, not started.
	Prepared,
	/// The job is running: [`Executor::run`] waits for it.
	Running,
	/// The job is over and not evaluated: [`Executor::run`] does that.
	Exited,
	/// There is a report: [`Executor::run`] returns it.
	Reported,
}

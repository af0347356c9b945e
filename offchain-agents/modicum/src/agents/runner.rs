// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From a job offer on the chain to what a run of the job gave. Provider, mediator and verifying creator all come
//! here, so that they judge a job by the same rules (docs/protocol.md §§5 and 13).

use crate::{
	agents::{
		time_left,
		transfer::{Transfer, TransferError},
	},
	directory_view::repository_of,
	failure::{Exit, Failure, Outcome},
};
use modicum_chain_client::{AccountId, Snapshot};
use modicum_directory::names::RepositoryName;
use modicum_executor::{
	CpuSet, Digest, Executor, ExecutorError, Job, JobDescriptor, JobFault, RunId, RunOptions,
	RunPhase, RunReport,
};
use modicum_primitives::{
	Hash, JobOfferId, JobTerms, MatchId, Moment, ResultStatus, Run, Usage, NO_HASH,
};
use std::{
	path::{Path, PathBuf},
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};

/// First pause before something is tried again that is nobody's fault.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long the container engine may take to say what it runs.
const ENGINE_PATIENCE: Duration = Duration::from_secs(10);

/// A job as the chain has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
	/// Where the job's directory answers.
	pub endpoint: String,
	/// Where the job lies there.
	pub uri: String,
	/// What was offered.
	pub terms: JobTerms<AccountId>,
}

impl Assignment {
	/// The job of an offer that is open or matched.
	///
	/// # Errors
	/// The chain cannot be read, or there is no such offer.
	pub async fn read(snapshot: &Snapshot, job_offer: JobOfferId) -> Outcome<Self> {
		let gone =
			|what: &str| Failure::not_found(format!("{what} of job offer {job_offer} is gone"));
		let offer = snapshot.job_offer(job_offer).await?.ok_or_else(|| gone("the record"))?;
		let directory = snapshot.directory(offer.terms.directory).await?;
		let endpoint = directory.ok_or_else(|| gone("the directory"))?.endpoint;
		Ok(Self { endpoint, uri: offer.uri, terms: offer.terms })
	}

	/// The repository of the job.
	pub fn repository(&self) -> Option<RepositoryName> {
		repository_of(&self.uri)
	}
}

/// What became of a job, to be posted.
#[derive(Debug, Clone)]
pub struct Executed {
	/// For the chain.
	pub run: Run,
	/// Why it ended so, for people.
	pub reason: String,
	/// The executor's report, with log and output, if the job was run.
	pub report: Option<RunReport>,
}

impl Executed {
	fn unrun(status: ResultStatus, bandwidth: u64, reason: impl ToString) -> Self {
		let usage = Usage { instructions: 0, bandwidth };
		let run = Run { status, result_hash: NO_HASH, usage };
		Self { run, reason: reason.to_string(), report: None }
	}
}

/// Why a job could not be run, of which nothing can be said about the job.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
	/// The directory.
	#[error("{0}")]
	Directory(TransferError),
	/// This machine.
	#[error("{0}")]
	Machine(Failure),
}

impl From<ExecutorError> for Trouble {
	fn from(error: ExecutorError) -> Self {
		Self::Machine(Failure::new(Exit::Engine, error))
	}
}

impl From<Trouble> for Failure {
	fn from(trouble: Trouble) -> Self {
		match trouble {
			Trouble::Machine(failure) => failure,
			Trouble::Directory(error) => error.into(),
		}
	}
}

/// Processors that jobs have to themselves.
#[derive(Debug)]
struct Processors(Mutex<Vec<u32>>);

/// Some processors, given back when dropped.
struct Taken<'a> {
	of: &'a Processors,
	cpus: CpuSet,
}

impl Processors {
	/// The `count` processors that the fewest others use; of this machine's last ones first, since the system
	/// itself favours the first.
	fn take(&self, count: u32) -> Taken<'_> {
		let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let mut order: Vec<usize> = (0..users.len()).rev().collect();
		order.sort_by_key(|cpu| users[*cpu]);
		order.truncate((count as usize).clamp(1, users.len()));
		order.iter().for_each(|cpu| users[*cpu] += 1);
		Taken { of: self, cpus: order.into_iter().map(|cpu| cpu as u32).collect() }
	}
}

impl Drop for Taken<'_> {
	fn drop(&mut self) {
		let mut users = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
		for cpu in self.cpus.iter() {
			users[cpu as usize] -= 1;
		}
	}
}

/// What the runs of a match are called. A fork may give a match's number to another job, so the job is part of it.
pub fn run_name(id: MatchId, job_hash: &Hash) -> String {
	format!("{}{}", run_prefix(id), hex::encode(&job_hash[..4]))
}

fn run_prefix(id: MatchId) -> String {
	format!("match{id}job")
}

/// Runs jobs that the chain names.
pub struct Runner {
	executor: Arc<dyn Executor>,
	transfer: Arc<Transfer>,
	/// Where fetched files lie until they are loaded.
	work: PathBuf,
	processors: Processors,
	cpus_per_job: u32,
	/// The last block at which the executor was asked whether it is there, and what was wrong.
	asked: tokio::sync::Mutex<(u64, Option<Failure>)>,
}

impl Runner {
	/// A runner with this executor. `work` is a folder of its own.
	pub fn new(
		executor: Arc<dyn Executor>,
		transfer: Arc<Transfer>,
		work: PathBuf,
		cpus_per_job: u32,
	) -> Self {
		let count = std::thread::available_parallelism().map_or(1, usize::from);
		let processors = Processors(Mutex::new(vec![0; count]));
		let asked = tokio::sync::Mutex::new((u64::MAX, None));
		Self { executor, transfer, work, processors, cpus_per_job, asked }
	}

	/// Where files lie for a while.
	pub fn work(&self) -> &Path {
		&self.work
	}

	/// The executor.
	pub fn executor(&self) -> &dyn Executor {
		self.executor.as_ref()
	}

	/// Whether jobs can be run now. The executor is asked once for each `block`.
	///
	/// # Errors
	/// Why not: the container engine was stopped, for example.
	pub async fn ready(&self, block: u64) -> Outcome<()> {
		let mut asked = self.asked.lock().await;
		if asked.0 != block {
			let answer = tokio::time::timeout(ENGINE_PATIENCE, self.executor.ping()).await;
			let trouble = match answer {
				Ok(answer) => answer.err().map(|error| Trouble::from(error).into()),
				Err(_) => {
					let limit = ENGINE_PATIENCE.as_secs();
					let message = format!("the container engine gives no answer within {limit} s");
					Some(Failure::new(Exit::Engine, message))
				},
			};
			*asked = (block, trouble);
		}
		asked.1.clone().map_or(Ok(()), Err)
	}

	/// Removes what a match has left.
	///
	/// # Errors
	/// The executor does not do it.
	pub async fn clean_up(&self, id: MatchId) -> Result<(), Trouble> {
		let prefix = run_prefix(id);
		for known in self.executor.recover().await? {
			if known.run.as_str().starts_with(&prefix) {
				self.executor.clean_up(&known.run).await?;
			}
		}
		Ok(())
	}

	/// Runs a job, and tries again what is nobody's fault, until `deadline` less `reserve`.
	///
	/// # Errors
	/// The trouble that lasted until then.
	pub async fn execute(
		&self,
		run: &RunId,
		assignment: &Assignment,
		deadline: Moment,
		reserve: Duration,
	) -> Result<Executed, Trouble> {
		let mut pause = FIRST_PAUSE;
		loop {
			let left = time_left(deadline, reserve);
			let trouble = match tokio::time::timeout(left, self.attempt(run, assignment)).await {
				Ok(Ok(executed)) => return Ok(executed),
				Ok(Err(trouble)) => trouble,
				Err(_) => {
					let _ = self.executor.cancel(run).await;
					let message = format!("run {run} would not be over in time and was stopped");
					return Err(Trouble::Machine(Failure::new(Exit::Engine, message)));
				},
			};
			if time_left(deadline, reserve) <= pause {
				return Err(trouble);
			}
			tracing::warn!(%run, %trouble, "tried again in {pause:?}");
			tokio::time::sleep(pause).await;
			pause = (pause * 2).min(LONGEST_PAUSE);
		}
	}

	async fn attempt(&self, run: &RunId, assignment: &Assignment) -> Result<Executed, Trouble> {
		let known = self.executor.recover().await?;
		let is_prepared =
			known.iter().any(|known| known.run == *run && known.phase >= RunPhase::Prepared);
		if !is_prepared {
			let folder = self.work.join(run.as_str());
			let fetched = self.fetch(&folder, assignment).await;
			let prepared = match fetched {
				Ok(Ok(job)) => self.executor.prepare(run, &job).await,
				Ok(Err(executed)) => {
					remove(&folder);
					return Ok(executed);
				},
				// What was fetched stays, to go on from.
				Err(trouble) => return Err(trouble),
			};
			remove(&folder);
			match prepared {
				Err(ExecutorError::Job(fault)) => return Ok(faulty(&fault, 0)),
				other => other?,
			}
		}
		let taken = self.processors.take(self.cpus_per_job);
		let options = RunOptions { cpus: taken.cpus.clone(), wall_limit: None };
		let report = match self.executor.run(run, &options).await {
			Err(ExecutorError::Interrupted(_)) => {
				self.executor.clean_up(run).await?;
				return Err(ExecutorError::Interrupted(run.clone()).into());
			},
			report => report?,
		};
		let result_hash = report.result_hash.map_or(NO_HASH, |digest| digest.0);
		let run = Run { status: report.status, result_hash, usage: report.usage };
		Ok(Executed { run, reason: report.reason.clone(), report: Some(report) })
	}

	/// Fetches a job's files; or says how the job ends because of what there is to fetch.
	async fn fetch(
		&self,
		folder: &Path,
		assignment: &Assignment,
	) -> Result<Result<Job, Executed>, Trouble> {
		let ends =
			|status, bandwidth, reason: &str| Ok(Err(Executed::unrun(status, bandwidth, reason)));
		let Some(repository) = assignment.repository() else {
			return ends(ResultStatus::JobNotFound, 0, "the offer's URI names no repository");
		};
		std::fs::create_dir_all(folder)
			.map_err(|error| Trouble::Machine(Failure::file(folder, error)))?;
		let terms = &assignment.terms;
		let most = modicum_executor::descriptor::MAX_DESCRIPTOR_BYTES as u64;
		let endpoint = &assignment.endpoint;
		let read = self.transfer.read(endpoint, &repository, &terms.job_hash, most).await;
		let descriptor = match read {
			Ok(descriptor) => descriptor,
			Err(TransferError::NotFound(what)) => {
				return ends(ResultStatus::JobNotFound, 0, &what);
			},
			Err(TransferError::TooLarge(what)) => {
				return ends(ResultStatus::JobDescriptionError, 0, &what);
			},
			Err(error) => return Err(trouble(error)),
		};
		let length = descriptor.len() as u64;
		let billed = length.min(terms.limits.bandwidth);
		let descriptor = match JobDescriptor::parse(&descriptor) {
			Ok(descriptor) => descriptor,
			Err(fault) => return Ok(Err(faulty(&fault, billed))),
		};
		if let Some(difference) = difference(&descriptor, terms) {
			return ends(ResultStatus::JobDescriptionError, billed, &difference);
		}
		if descriptor.download_bytes() > terms.limits.bandwidth {
			let reason = "descriptor and layers are larger than the bandwidth limit";
			return ends(ResultStatus::BandwidthExceeded, billed, reason);
		}
		let mut files = Vec::new();
		for (index, layer) in descriptor.layers().enumerate() {
			let to = folder.join(format!("layer{index}"));
			let digest = &layer.digest.0;
			let fetched =
				self.transfer.fetch(endpoint, &repository, digest, layer.size, &to, |_| ());
			match fetched.await {
				Ok(()) => files.push(to),
				Err(TransferError::NotFound(what)) => {
					return ends(ResultStatus::JobNotFound, billed, &what);
				},
				Err(error) => return Err(trouble(error)),
			}
		}
		let mut files = files.into_iter();
		let execution_layer = files.next().expect("every job has an execution layer; qed");
		Ok(Ok(Job { descriptor, execution_layer, data_layer: files.next() }))
	}
}

fn faulty(fault: &JobFault, bandwidth: u64) -> Executed {
	Executed::unrun(ResultStatus::JobDescriptionError, bandwidth, fault)
}

fn trouble(error: TransferError) -> Trouble {
	match error {
		TransferError::Local(failure) => Trouble::Machine(failure),
		error => Trouble::Directory(error),
	}
}

/// What of the descriptor is not as it was offered: a provider was matched by the offer's figures.
fn difference(descriptor: &JobDescriptor, terms: &JobTerms<AccountId>) -> Option<String> {
	let fields = [
		("architecture", descriptor.architecture == terms.architecture),
		("base", descriptor.base == Digest(terms.base_layer)),
		("limits", descriptor.limits == terms.limits),
		("meter", descriptor.meter == terms.meter),
	];
	let (field, _) = fields.into_iter().find(|(_, same)| !same)?;
	Some(format!("the descriptor's {field} is not the one that was offered"))
}

/// Removes a folder with fetched files. One that stays is overwritten by the next try.
pub fn remove(folder: &Path) {
	if let Err(error) = std::fs::remove_dir_all(folder) {
		if error.kind() != std::io::ErrorKind::NotFound {
			tracing::warn!(folder = %folder.display(), %error, "cannot be removed");
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn jobs_share_processors_only_when_there_are_too_few() {
		let processors = Processors(Mutex::new(vec![0; 3]));
		let (one, other) = (processors.take(1), processors.take(2));
		let all: std::collections::BTreeSet<u32> =
			one.cpus.iter().chain(other.cpus.iter()).collect();
		assert_eq!(all.len(), 3);
		assert_eq!(processors.take(9).cpus.len(), 3);
		drop((one, other));
		assert_eq!(*processors.0.lock().unwrap(), [0; 3]);
	}
}

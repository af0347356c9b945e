// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! An executor that runs nothing, for load tests of everything around it.

use std::{
	collections::{BTreeMap, BTreeSet},
	path::PathBuf,
	sync::{Mutex, MutexGuard},
	time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use modicum_primitives::{ResultStatus, Usage};

use crate::{
	descriptor::{Job, JobDescriptor},
	digest::Digest,
	doctor::DoctorReport,
	error::{ExecutorError, Result},
	executor::{Executor, LogChunk, RecoveredRun, RunPhase},
	meter::Calibration,
	run::{Figures, RunId, RunOptions, RunReport},
};

/// The canonical archive of an empty output: two blocks of zeros.
const EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];

/// Accepts every valid job, waits, and reports an empty output and no instructions. It does not hide that: its
/// reports are from `null`, say that nothing was run, and its doctor refuses the machine.
pub struct NullExecutor {
	folder: PathBuf,
	duration: Duration,
	runs: Mutex<BTreeMap<RunId, NullRun>>,
}

struct NullRun {
	descriptor: JobDescriptor,
	report: Option<RunReport>,
	cancelled: bool,
}

impl NullExecutor {
	/// An executor whose jobs all take `duration`, with their (empty) outputs in `folder`.
	pub fn new(folder: impl Into<PathBuf>, duration: Duration) -> Self {
		Self { folder: folder.into(), duration, runs: Mutex::default() }
	}

	fn runs(&self) -> MutexGuard<'_, BTreeMap<RunId, NullRun>> {
		self.runs.lock().expect("no holder of the lock panics; qed")
	}

	fn with_run<T>(&self, run: &RunId, read: impl FnOnce(&mut NullRun) -> T) -> Result<T> {
		let mut runs = self.runs();
		runs.get_mut(run).map(read).ok_or_else(|| ExecutorError::UnknownRun(run.clone()))
	}

	fn output_path(&self, run: &RunId) -> PathBuf {
		self.folder.join(format!("{run}.tar"))
	}
}

#[async_trait]
impl Executor for NullExecutor {
	fn name(&self) -> &'static str {
		"null"
	}

	async fn ping(&self) -> Result<()> {
		Ok(())
	}

	async fn doctor(&self, _now: Option<SystemTime>) -> Result<DoctorReport> {
		let mut report = DoctorReport::default();
		report.refuse(
			"engine",
			"this executor runs nothing and is for load tests only",
			"configure a container engine",
		);
		Ok(report)
	}

	async fn calibrate(&self) -> Result<Calibration> {
		Err(ExecutorError::Unsuitable("the null executor has nothing to measure".into()))
	}

	async fn prepare(&self, run: &RunId, job: &Job) -> Result<()> {
		job.descriptor.validate()?;
		let mut runs = self.runs();
		if let Some(known) = runs.get(run) {
			let same = known.descriptor == job.descriptor;
			return same.then_some(()).ok_or_else(|| ExecutorError::RunInUse(run.clone()));
		}
		let descriptor = job.descriptor.clone();
		runs.insert(run.clone(), NullRun { descriptor, report: None, cancelled: false });
		Ok(())
	}

	async fn run(&self, run: &RunId, _options: &RunOptions) -> Result<RunReport> {
		if let Some(report) = self.with_run(run, |known| known.report.clone())? {
			return Ok(report);
		}
		tokio::time::sleep(self.duration).await;
		let output = self.output_path(run);
		std::fs::write(&output, EMPTY_ARCHIVE).map_err(ExecutorError::io("write", &output))?;
		self.with_run(run, |known| {
			if known.cancelled {
				return Err(ExecutorError::Cancelled(run.clone()));
			}
			let bandwidth =
				known.descriptor.download_bytes().saturating_add(EMPTY_ARCHIVE.len() as u64);
			let report = RunReport {
				run: run.clone(),
				executor: self.name().into(),
				status: ResultStatus::Completed,
				reason: "nothing was run: this is the null executor".into(),
				result_hash: Some(Digest::of(&EMPTY_ARCHIVE)),
				usage: Usage {
					instructions: 0,
					bandwidth: bandwidth.min(known.descriptor.limits.bandwidth),
				},
				meter: known.descriptor.meter,
				figures: Figures::default(),
				log: None,
				output: Some(output),
			};
			known.report = Some(report.clone());
			Ok(report)
		})?
	}

	async fn cancel(&self, run: &RunId) -> Result<()> {
		self.with_run(run, |known| known.cancelled = true)
	}

	async fn logs(
		&self,
		run: &RunId,
		_follow: bool,
	) -> Result<BoxStream<'static, Result<LogChunk>>> {
		self.with_run(run, |_| futures::stream::empty().boxed())
	}

	async fn recover(&self) -> Result<Vec<RecoveredRun>> {
		let phase = |known: &NullRun| match known.report {
			Some(_) => RunPhase::Reported,
			None => RunPhase::Prepared,
		};
		let recovered = |(run, known): (&RunId, &NullRun)| RecoveredRun {
			run: run.clone(),
			phase: phase(known),
		};
		Ok(self.runs().iter().map(recovered).collect())
	}

	async fn clean_up(&self, run: &RunId) -> Result<()> {
		self.runs().remove(run);
		let output = self.output_path(run);
		match std::fs::remove_file(&output) {
			Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
				Err(ExecutorError::io("remove", output)(error))
			},
			_ => Ok(()),
		}
	}

	async fn reconcile(&self, keep: &BTreeSet<RunId>, _grace: Duration) -> Result<Vec<RunId>> {
		// Nothing of it outlives the process, so nothing is ever left from a crash.
		let surplus: Vec<RunId> =
			self.runs().keys().filter(|run| !keep.contains(run)).cloned().collect();
		for run in &surplus {
			self.clean_up(run).await?;
		}
		Ok(surplus)
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::descriptor::tests::example;

	fn job() -> Job {
		Job { descriptor: example(), execution_layer: "/none".into(), data_layer: None }
	}

	#[tokio::test]
	async fn it_says_that_it_is_null() {
		let folder = tempfile::tempdir().unwrap();
		let executor = NullExecutor::new(folder.path(), Duration::ZERO);
		let run: RunId = "m1".parse().unwrap();
		assert!(!executor.doctor(None).await.unwrap().is_usable());
		assert!(matches!(
			executor.run(&run, &RunOptions::default()).await,
			Err(ExecutorError::UnknownRun(_))
		));
		executor.prepare(&run, &job()).await.unwrap();
		let report = executor.run(&run, &RunOptions::default()).await.unwrap();
		assert_eq!(report.executor, "null");
		assert!(report.reason.contains("nothing was run"));
		assert_eq!(report.usage.instructions, 0);
		let output = std::fs::read(report.output.as_ref().unwrap()).unwrap();
		assert_eq!(report.result_hash, Some(Digest::of(&output)));
		assert_eq!(executor.run(&run, &RunOptions::default()).await.unwrap(), report);
		assert_eq!(executor.recover().await.unwrap()[0].phase, RunPhase::Reported);
		executor.reconcile(&BTreeSet::new(), Duration::ZERO).await.unwrap();
		assert!(executor.recover().await.unwrap().is_empty());
		assert!(!report.output.unwrap().exists());
	}

	#[tokio::test]
	async fn a_cancelled_run_fails() {
		let folder = tempfile::tempdir().unwrap();
		let executor = NullExecutor::new(folder.path(), Duration::ZERO);
		let run: RunId = "m1".parse().unwrap();
		executor.prepare(&run, &job()).await.unwrap();
		executor.cancel(&run).await.unwrap();
		assert!(matches!(
			executor.run(&run, &RunOptions::default()).await,
			Err(ExecutorError::Cancelled(_))
		));
	}
}

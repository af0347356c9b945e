// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs in containers of a Docker engine, or of Podman through its compatible socket (experimental).

mod engine;
mod examine;
mod export;
mod image;
mod pipe;
mod probe;
mod profile;
mod reconcile;
mod seccomp;
mod state;
mod supervise;
mod volume;
mod workdir;

use std::{
	collections::{BTreeSet, HashMap},
	path::{Path, PathBuf},
	sync::Arc,
	time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bollard::{container::LogOutput, query_parameters::LogsOptionsBuilder};
use futures::stream::{BoxStream, StreamExt};
use modicum_primitives::Meter;

use self::{engine::Inner, state::RunRecord};
pub use self::{export::LocalImage, image::BaseImage, profile::MAX_PROCESSES, volume::StorageKind};
use crate::{
	descriptor::Job,
	doctor::DoctorReport,
	error::{ExecutorError, JobFault, Result},
	executor::{Executor, LogChunk, RecoveredRun},
	meter::Calibration,
	run::{RunId, RunOptions, RunReport},
};

/// Where a job writes its output.
pub const OUTPUT_PATH: &str = "/out";
/// About how much of what a job prints is kept, in bytes: the end of it.
pub const LOG_BYTES: u64 = 64 * 1024;
/// The label of base images.
pub const BASE_LABEL: &str = "modicum.base";
/// The label with the executor's instance, on everything that it makes on the engine.
pub const INSTANCE_LABEL: &str = "modicum.instance";
/// The label with the run.
pub const RUN_LABEL: &str = "modicum.run";

const EXECUTOR_NAME: &str = "docker";
/// What every job finds in `/etc`.
const FIXED_FILES: [(&str, &str); 3] = [
	("hostname", "job\n"),
	("hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 job.modicum job\n"),
	("resolv.conf", ""),
];

pub(crate) type Labels = HashMap<String, String>;

/// How to reach an engine and what to keep where.
#[derive(Clone, Debug)]
pub struct DockerConfig {
	/// The engine's socket; `None` for the one in `DOCKER_HOST`, or else `/var/run/docker.sock`.
	pub socket: Option<PathBuf>,
	/// Where runs are kept: logs, outputs and, on disk, the storage of running jobs. On a local file system.
	pub state_folder: PathBuf,
	/// This executor's name among those that use the same engine: 1 to 32 of the characters a-z and 0-9.
	pub instance: String,
	/// Where running jobs write; `None` for on disk if this process is root, else in memory.
	pub storage: Option<StorageKind>,
	/// An engine runtime other than its default, for example `runsc`; it must be registered with the engine.
	pub runtime: Option<String>,
	/// How often a running job is looked at. The overshoot of an instruction limit is at most this.
	pub poll_interval: Duration,
}

impl DockerConfig {
	/// The usual configuration, with its state in `state_folder`.
	pub fn new(state_folder: impl Into<PathBuf>, instance: impl Into<String>) -> Self {
		Self {
			socket: None,
			state_folder: state_folder.into(),
			instance: instance.into(),
			storage: None,
			runtime: None,
			poll_interval: Duration::from_millis(20),
		}
	}
}

/// Runs jobs in containers. Cheap to clone; all clones are the same executor.
#[derive(Clone)]
pub struct DockerExecutor {
	inner: Arc<Inner>,
}

impl DockerExecutor {
	/// Connect to the engine and take possession of the state folder.
	pub async fn connect(config: DockerConfig) -> Result<Self> {
		Ok(Self { inner: Arc::new(Inner::connect(config).await?) })
	}

	/// Examine a machine of which it is not known whether there is an engine. Where there is,
	/// [`Executor::doctor`] says more.
	pub async fn examine(config: DockerConfig, now: Option<SystemTime>) -> DoctorReport {
		match Self::connect(config).await {
			Ok(executor) => match executor.doctor(now).await {
				Ok(report) => report,
				Err(error) => examine::failed(&error),
			},
			Err(error) => examine::failed(&error),
		}
	}

	/// The base images that are installed, with what jobs name them by.
	pub async fn bases(&self) -> Result<Vec<BaseImage>> {
		self.inner.bases().await
	}

	/// Install a base image from the archive that a script in docker/bases made.
	pub async fn install_base(&self, archive: &Path) -> Result<()> {
		self.inner.install_base(archive).await
	}

	/// The meters that this machine has, the best first.
	pub fn meters(&self) -> Vec<Meter> {
		let hardware = self.inner.no_counter.is_none().then_some(Meter::HardwareInstructions);
		hardware.into_iter().chain([Meter::CpuTime]).collect()
	}

	/// What was measured when the machine was calibrated, if it was.
	pub fn calibration(&self) -> Result<Option<Calibration>> {
		self.inner.state.calibration()
	}
}

impl Inner {
	/// Refuse what this machine cannot run, before anything is read or loaded.
	fn check_job(&self, job: &Job) -> Result<()> {
		self.check_suitable()?;
		job.descriptor.validate()?;
		let wanted = job.descriptor.architecture;
		match self.facts.architecture() {
			Some(here) if here == wanted => {},
			Some(here) => return Err(JobFault::WrongArchitecture { wanted, here }.into()),
			None => {
				let name = self.facts.info.architecture.clone().unwrap_or_default();
				return Err(ExecutorError::Unsuitable(format!(
					"its architecture '{name}' is not known"
				)));
			},
		}
		match job.descriptor.meter {
			Meter::CpuTime if self.state.calibration()?.is_none() => {
				Err(ExecutorError::NotCalibrated)
			},
			Meter::CpuTime => Ok(()),
			Meter::HardwareInstructions if self.no_counter.is_none() => Ok(()),
			meter => Err(ExecutorError::MeterUnavailable(meter)),
		}
	}

	async fn prepare(&self, run: &RunId, job: &Job) -> Result<()> {
		if run.is_reserved() {
			return Err(ExecutorError::BadName(run.to_string()));
		}
		self.check_job(job)?;
		match self.state.record(run)? {
			Some(record) if record.descriptor != job.descriptor => {
				return Err(ExecutorError::RunInUse(run.clone()))
			},
			Some(record) if record.prepared => return Ok(()),
			// What a crash left of an earlier attempt.
			_ => self.clean_up(run).await?,
		}
		let base = self.find_base(job.descriptor.base).await?;
		check_layers(job.clone()).await?;
		let mut record = RunRecord {
			run: run.clone(),
			descriptor: job.descriptor.clone(),
			storage: self.storage,
			prepared: false,
			started_at: None,
		};
		self.state.set_record(&record)?;
		let prepared = async {
			self.load_image(run, job, &base).await?;
			self.check_working_directory(&record).await?;
			self.create_output(&record).await
		};
		if let Err(error) = prepared.await {
			if let Err(error) = self.clean_up(run).await {
				tracing::warn!(%run, %error, "cannot clean up after a failed preparation");
			}
			return Err(error);
		}
		record.prepared = true;
		self.state.set_record(&record)
	}

	async fn cancel(&self, run: &RunId) -> Result<()> {
		if self.state.record(run)?.is_none() {
			return Err(ExecutorError::UnknownRun(run.clone()));
		}
		self.state.set_cancelled(run)?;
		self.kill(run).await
	}

	async fn logs(
		&self,
		run: &RunId,
		follow: bool,
	) -> Result<BoxStream<'static, Result<LogChunk>>> {
		if let Ok(kept) = std::fs::read(self.log_path(run)) {
			// In the file the two streams are one.
			let chunk = LogChunk { error: false, bytes: kept.into() };
			return Ok(futures::stream::once(async { Ok(chunk) }).boxed());
		}
		if self.inspect(run).await?.is_none() {
			return Err(ExecutorError::UnknownRun(run.clone()));
		}
		let options =
			LogsOptionsBuilder::default().stdout(true).stderr(true).follow(follow).build();
		let chunks = self.docker.logs(&self.object_name(run), Some(options));
		Ok(chunks
			.map(|chunk| {
				let chunk = chunk.map_err(ExecutorError::engine("read the job's log"))?;
				let error = matches!(chunk, LogOutput::StdErr { .. });
				Ok(LogChunk { error, bytes: chunk.into_bytes() })
			})
			.boxed())
	}
}

/// Check the job's files. Reading and hashing them blocks, so it is done aside.
async fn check_layers(job: Job) -> Result<()> {
	let check = move || {
		let descriptor = &job.descriptor;
		let program = (descriptor.command[0].as_str(), descriptor.architecture);
		descriptor.execution_layer.check(&job.execution_layer, "execution", program)?;
		match (&descriptor.data_layer, &job.data_layer) {
			(Some(layer), Some(path)) => layer.check(path, "data", program),
			(None, None) => Ok(()),
			(layer, _) => {
				let rule = match layer {
					Some(_) => "the layer's file is missing",
					None => "there is a file for a layer that the descriptor does not have",
				};
				Err(JobFault::InvalidField { field: "data_layer", rule: rule.into() }.into())
			},
		}
	};
	tokio::task::spawn_blocking(check).await.expect("checking layers does not panic; qed")
}

#[async_trait]
impl Executor for DockerExecutor {
	fn name(&self) -> &'static str {
		EXECUTOR_NAME
	}

	async fn ping(&self) -> Result<()> {
		self.inner.ping().await
	}

	async fn doctor(&self, now: Option<SystemTime>) -> Result<DoctorReport> {
		self.inner.doctor(now).await
	}

	async fn calibrate(&self) -> Result<Calibration> {
		self.inner.calibrate().await
	}

	async fn prepare(&self, run: &RunId, job: &Job) -> Result<()> {
		self.inner.prepare(run, job).await
	}

	async fn run(&self, run: &RunId, options: &RunOptions) -> Result<RunReport> {
		self.inner.run(run, options).await
	}

	async fn cancel(&self, run: &RunId) -> Result<()> {
		self.inner.cancel(run).await
	}

	async fn logs(
		&self,
		run: &RunId,
		follow: bool,
	) -> Result<BoxStream<'static, Result<LogChunk>>> {
		self.inner.logs(run, follow).await
	}

	async fn recover(&self) -> Result<Vec<RecoveredRun>> {
		self.inner.recover().await
	}

	async fn clean_up(&self, run: &RunId) -> Result<()> {
		self.inner.clean_up(run).await
	}

	async fn reconcile(&self, keep: &BTreeSet<RunId>, grace: Duration) -> Result<Vec<RunId>> {
		self.inner.reconcile(keep, grace).await
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! One run, from the start of its container to its report.

use std::{
	collections::HashMap,
	fs::File,
	path::PathBuf,
	time::{Duration, Instant},
};

use bollard::{
	errors::Error,
	models::{ContainerInspectResponse, ContainerStateStatusEnum},
	query_parameters::{
		CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, EventsOptionsBuilder,
		KillContainerOptions, LogsOptionsBuilder, StartContainerOptions, WaitContainerOptions,
	},
};
use futures::{StreamExt, TryStreamExt};
use modicum_primitives::{Meter, ResultStatus, Usage};

use super::{
	engine::{absent_is_none, is_passing, patiently, Inner},
	pipe::{ChannelReader, PIECES},
	profile::{self, ContainerSpec},
	state::{now_ms, RunRecord},
	volume::StorageKind,
	EXECUTOR_NAME, LOG_BYTES, OUTPUT_PATH,
};
use crate::{
	cgroup::Reading,
	counter::HardwareCounter,
	error::{ExecutorError, Result},
	meter::Calibration,
	output::{canonicalise, Output, OutputFault, OutputLimits},
	run::{CpuSet, Figures, RunId, RunOptions, RunReport},
	status::{Ending, Figure},
};

/// What the runtimes runc and crun say of a command that cannot be executed.
const COMMAND_FAILED: [&str; 2] = ["exec: \"", "executable file"];
/// What both say of a working directory that the job's user may not enter.
const FOLDER_FAILED: &str = "chdir to ";
/// What they say of a cgroup that they could not make, and how often a start is tried in spite of it.
const CGROUP_FAILED: &str = "cgroup";
const START_ATTEMPTS: u32 = 5;
/// Exit codes above this are of processes that a signal ended, or that say so.
const SIGNALLED: i64 = 128;
/// The shortest pause between two looks at a job near its limit.
const MIN_POLL: Duration = Duration::from_millis(1);
/// The wall limit that a job gets without one of its own: this many times the time that its instructions take on
/// one CPU, and a minute for jobs with few.
const WALL_FACTOR: u64 = 10;
const WALL_MINIMUM: Duration = Duration::from_secs(60);

/// How a run's instructions are counted.
enum RunMeter {
	CpuTime(Calibration),
	Hardware(HardwareCounter),
}

impl RunMeter {
	fn instructions(&mut self, reading: &Reading) -> Result<u64> {
		match self {
			Self::CpuTime(calibration) => Ok(calibration.instructions(reading.cpu_ns)),
			Self::Hardware(counter) => {
				counter.read().map_err(ExecutorError::io("read the counter of", "the processor"))
			},
		}
	}

	/// The least time in which a job could use up what is left to it, on all of its CPUs.
	fn time_left(&self, reading: &Reading, instructions: u64, limit: u64, cpus: u64) -> Duration {
		let cpu_ns = match self {
			Self::CpuTime(calibration) => calibration.cpu_ns(limit).saturating_sub(reading.cpu_ns),
			// No processor retires more than eight in a nanosecond.
			Self::Hardware(_) => limit.saturating_sub(instructions) / 8,
		};
		Duration::from_nanos(cpu_ns / cpus.max(1))
	}
}

/// What was seen of a job while it ran.
#[derive(Default)]
struct Watched {
	wall_limit_reached: bool,
	/// The most memory seen, for kernels that do not keep it.
	peak_memory: Option<u64>,
	/// Processes seen to have been killed for want of memory, for engines that do not say.
	oom_kills: Option<u64>,
	wall: Duration,
}

impl Inner {
	pub(super) async fn run(&self, run: &RunId, options: &RunOptions) -> Result<RunReport> {
		if let Some(report) = self.state.report(run)? {
			return Ok(report);
		}
		let record = self.state.record(run)?.filter(|record| record.prepared);
		let mut record = record.ok_or_else(|| ExecutorError::UnknownRun(run.clone()))?;
		self.check_cpus(&options.cpus)?;
		self.check_not_cancelled(run)?;
		let mut ending = Ending {
			bandwidth: Figure {
				used: record.descriptor.download_bytes(),
				limit: record.descriptor.limits.bandwidth,
			},
			instructions: Figure { used: 0, limit: record.descriptor.limits.instructions },
			..Default::default()
		};
		if ending.bandwidth.used > ending.bandwidth.limit {
			return self.report(&record, &ending, Figures::default(), None, None);
		}
		let existing = self.inspect(run).await?;
		let fresh = existing.as_ref().is_none_or(is_not_started);
		let mut meter = self.open_meter(&record, options, fresh)?;
		let mut watched = Watched::default();
		if fresh {
			if existing.is_none() {
				self.create_container(&record, options).await?;
			}
			record.started_at = Some(now_ms());
			self.state.set_record(&record)?;
			ending.description_fault =
				self.start_container(run, &record.descriptor.command[0]).await?;
			// A cancellation may have come before there was a container to kill.
			if self.state.is_cancelled(run) {
				self.kill(run).await?;
			}
		}
		if ending.description_fault.is_none() {
			watched = self.watch(&record, options, &mut meter).await?;
			self.check_not_cancelled(run)?;
		}
		self.evaluate(&record, ending, meter, watched).await
	}

	fn check_cpus(&self, cpus: &CpuSet) -> Result<()> {
		let count = self.facts.info.ncpu.unwrap_or(1).max(1) as u32;
		if cpus.is_empty() || cpus.iter().any(|cpu| cpu >= count) {
			return Err(ExecutorError::BadCpuSet { found: cpus.to_string(), last: count - 1 });
		}
		Ok(())
	}

	fn check_not_cancelled(&self, run: &RunId) -> Result<()> {
		match self.state.is_cancelled(run) {
			true => Err(ExecutorError::Cancelled(run.clone())),
			false => Ok(()),
		}
	}

	pub(super) async fn inspect(&self, run: &RunId) -> Result<Option<ContainerInspectResponse>> {
		let name = self.object_name(run);
		let inspected = patiently(is_passing, || self.docker.inspect_container(&name, None)).await;
		absent_is_none(inspected).map_err(ExecutorError::engine("inspect a container"))
	}

	fn open_meter(
		&self,
		record: &RunRecord,
		options: &RunOptions,
		fresh: bool,
	) -> Result<RunMeter> {
		let run = &record.run;
		match record.descriptor.meter {
			Meter::CpuTime => {
				let calibration = self.state.calibration()?;
				calibration.map(RunMeter::CpuTime).ok_or(ExecutorError::NotCalibrated)
			},
			// A counter lives as long as the process that opened it.
			Meter::HardwareInstructions if !fresh => Err(ExecutorError::Interrupted(run.clone())),
			Meter::HardwareInstructions => {
				let folder = self.cgroups.counter_folder(run);
				let folder =
					folder.ok_or(ExecutorError::MeterUnavailable(Meter::HardwareInstructions))?;
				std::fs::create_dir_all(&folder).map_err(ExecutorError::io("create", &folder))?;
				let counter = HardwareCounter::open(&folder, &options.cpus)
					.map_err(ExecutorError::io("attach a counter to", &folder))?;
				Ok(RunMeter::Hardware(counter))
			},
			meter => Err(ExecutorError::MeterUnavailable(meter)),
		}
	}

	async fn create_container(&self, record: &RunRecord, options: &RunOptions) -> Result<()> {
		let descriptor = &record.descriptor;
		let name = self.object_name(&record.run);
		let limits = &descriptor.limits;
		let ram = match record.storage {
			StorageKind::Disk => limits.ram,
			// Output in memory is charged to the job.
			StorageKind::Memory => limits.ram.saturating_add(limits.storage),
		};
		let environment: Vec<_> = descriptor.environment.clone().into_iter().collect();
		let body = profile::container(&ContainerSpec {
			image: &self.image_name(&record.run),
			seccomp: self.seccomp(descriptor.architecture),
			command: &descriptor.command,
			environment: &environment,
			working_directory: &descriptor.working_directory,
			labels: &self.labels(&record.run),
			cgroup_parent: self.cgroup_parent(&record.run)?,
			ram,
			cpus: options.cpus.to_string(),
			output_volume: Some(&name),
			fixed_files: &self.state.fixed_files(),
			runtime: self.config.runtime.as_deref(),
			podman: self.facts.is_podman(),
		});
		let options = CreateContainerOptionsBuilder::default().name(&name).build();
		let created = self
			.docker
			.create_container(Some(options), body)
			.await
			.map_err(ExecutorError::engine("create the job's container"))?;
		for warning in created.warnings {
			tracing::warn!(run = %record.run, "the engine warns: {warning}");
		}
		Ok(())
	}

	/// Start the container; what is wrong with the job's command, if that is why it cannot be started.
	async fn start_container(&self, run: &RunId, program: &str) -> Result<Option<String>> {
		match self.start(&self.object_name(run)).await {
			Ok(()) => Ok(None),
			Err(Error::DockerResponseServerError { message, .. })
				if blames_description(&message, program) =>
			{
				Ok(Some(format!("the command cannot be started: {message}")))
			},
			Err(error) => Err(ExecutorError::engine("start the job's container")(error)),
		}
	}

	/// Start a container, again if need be: whoever removes the last other run's cgroup removes the folder above,
	/// perhaps at the very moment at which the engine makes another one there.
	pub(super) async fn start(&self, container: &str) -> std::result::Result<(), Error> {
		let mut attempt = 0;
		loop {
			attempt += 1;
			match self.docker.start_container(container, None::<StartContainerOptions>).await {
				Err(Error::DockerResponseServerError { message, .. })
					if attempt < START_ATTEMPTS && message.contains(CGROUP_FAILED) =>
				{
					tracing::debug!(container, message, "the engine could not make a cgroup");
				},
				result => return result,
			}
		}
	}

	pub(super) async fn kill(&self, run: &RunId) -> Result<()> {
		let name = self.object_name(run);
		let killed = self.docker.kill_container(&name, None::<KillContainerOptions>).await;
		match killed {
			// It is not running any more: what was to be achieved.
			Err(Error::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
			other => absent_is_none(other)
				.map(drop)
				.map_err(ExecutorError::engine("kill the job's container")),
		}
	}

	/// Wait for the job's end and bring it about at a limit.
	async fn watch(
		&self,
		record: &RunRecord,
		options: &RunOptions,
		meter: &mut RunMeter,
	) -> Result<Watched> {
		let run = &record.run;
		let name = self.object_name(run);
		let begun = Instant::now();
		let before = now_ms().saturating_sub(record.started_at.unwrap_or_else(now_ms));
		let before = Duration::from_millis(before);
		let limit = record.descriptor.limits.instructions;
		let wall_limit = options.wall_limit.unwrap_or_else(|| self.default_wall_limit(limit));
		let mut waiting =
			std::pin::pin!(self.docker.wait_container(&name, None::<WaitContainerOptions>));
		let mut watched = Watched::default();
		let mut pause = MIN_POLL;
		loop {
			tokio::select! {
				ended = waiting.next() => match ended {
					// A non-zero exit code arrives as an error; all codes are read from the container below.
					None | Some(Ok(_)) | Some(Err(Error::DockerContainerWaitError { .. })) => break,
					Some(Err(error)) => return Err(ExecutorError::engine("wait for the job")(error)),
				},
				() = tokio::time::sleep(pause) => {},
			}
			watched.wall = before + begun.elapsed();
			let reading = self.reading(run)?.unwrap_or_default();
			watched.peak_memory = watched.peak_memory.max(reading.current_memory);
			watched.oom_kills = watched.oom_kills.max(reading.oom_kills);
			let used = meter.instructions(&reading)?;
			watched.wall_limit_reached = watched.wall >= wall_limit;
			if used >= limit || watched.wall_limit_reached {
				self.kill(run).await?;
				// It ends in a moment; nothing more needs to be watched closely.
				pause = self.config.poll_interval;
			} else {
				let cpus = options.cpus.len() as u64;
				let left = meter.time_left(&reading, used, limit, cpus);
				pause = left.clamp(MIN_POLL, self.config.poll_interval.max(MIN_POLL));
			}
		}
		watched.wall = before + begun.elapsed();
		Ok(watched)
	}

	/// Whether somebody else ended the job, the engine at its own end or a person: then its end says nothing of the
	/// job. No process can send its container's first one a signal that kills from inside. An engine that was started
	/// again has ended what ran, and knows nothing of it.
	async fn was_killed_by_others(&self, record: &RunRecord, container: &str) -> Result<bool> {
		// Podman knows whole seconds only.
		let (since, until) =
			(record.started_at.unwrap_or_default() / 1000, now_ms().div_ceil(1000));
		let filters = HashMap::from([
			("container", vec![container.to_owned()]),
			("event", ["kill", "die"].map(String::from).to_vec()),
		]);
		let options = EventsOptionsBuilder::default()
			.since(&since.to_string())
			.until(&until.to_string())
			.filters(&filters)
			.build();
		let mut events = std::pin::pin!(self.docker.events(Some(options)));
		let mut saw_the_end = false;
		while let Some(event) = events
			.try_next()
			.await
			.map_err(ExecutorError::engine("list what happened to the job"))?
		{
			match event.action.as_deref() {
				Some("kill") => return Ok(true),
				_ => saw_the_end = true,
			}
		}
		// Podman's containers outlive it, and its records do as well.
		Ok(!saw_the_end && !self.facts.is_podman())
	}

	fn default_wall_limit(&self, instructions: u64) -> Duration {
		// Without a rate, that of a slow board.
		const SLOW: Calibration = Calibration { instructions_per_us: 500, overhead_cpu_ns: 0 };
		let calibration = self.state.calibration().ok().flatten().unwrap_or(SLOW);
		let cpu =
			Duration::from_nanos(calibration.cpu_ns(instructions).saturating_mul(WALL_FACTOR));
		cpu.saturating_add(WALL_MINIMUM)
	}

	fn reading(&self, run: &RunId) -> Result<Option<Reading>> {
		self.cgroups.read(run).map_err(ExecutorError::io("read the figures of", "the job's cgroup"))
	}

	/// From what the job left to its report.
	async fn evaluate(
		&self,
		record: &RunRecord,
		mut ending: Ending,
		mut meter: RunMeter,
		watched: Watched,
	) -> Result<RunReport> {
		let run = &record.run;
		let interrupted = || ExecutorError::Interrupted(run.clone());
		let container = self.inspect(run).await?.ok_or_else(interrupted)?;
		let state = container.state.ok_or_else(interrupted)?;
		let never_started = ending.description_fault.is_some();
		let reading = match self.reading(run)? {
			Some(reading) => reading,
			// A container that never started may have had no cgroup.
			None if never_started => Reading::default(),
			// The machine was restarted: its cgroups are gone, and with them the figures.
			None => return Err(interrupted()),
		};
		let used = meter.instructions(&reading)?;
		let mut figures = Figures {
			cpu_ns: reading.cpu_ns,
			instructions: used,
			peak_memory: reading.peak_memory.or(watched.peak_memory),
			wall_ns: u64::try_from(watched.wall.as_nanos()).unwrap_or(u64::MAX),
			exit_code: state.exit_code,
			out_of_memory: state.oom_killed == Some(true)
				|| reading.oom_kills.max(watched.oom_kills).is_some_and(|kills| kills > 0),
			..Default::default()
		};
		match &meter {
			RunMeter::CpuTime(calibration) => {
				figures.cpu_overhead_ns = calibration.overhead_cpu_ns;
				figures.instructions_per_us = Some(calibration.instructions_per_us);
			},
			RunMeter::Hardware(_) => figures.hardware_instructions = Some(used),
		}
		ending.instructions.used = used;
		ending.out_of_memory = figures.out_of_memory;
		ending.wall_limit_reached = watched.wall_limit_reached;
		ending.exit_code = state.exit_code;
		let ended_by_us = used >= ending.instructions.limit || watched.wall_limit_reached;
		if figures.exit_code.is_some_and(|code| code > SIGNALLED)
			&& !(ended_by_us || figures.out_of_memory)
			&& self.was_killed_by_others(record, &container.id.unwrap_or_default()).await?
		{
			return Err(interrupted());
		}
		let log = self.keep_log(run).await?;
		let mut output = None;
		if !never_started && used < ending.instructions.limit && !figures.out_of_memory {
			match self.fetch_output(record).await? {
				Ok(found) => {
					figures.storage = found.storage;
					figures.left_out = found.left_out;
					output = Some(found);
				},
				Err(fault @ OutputFault::OverLimit(_)) => {
					ending.storage_exceeded = Some(fault.to_string());
				},
				Err(OutputFault::Invalid(fault)) => ending.output_fault = Some(fault),
				Err(OutputFault::Io(error)) => {
					return Err(ExecutorError::io("read the output of", run.as_str())(error))
				},
			}
		}
		// What will be moved to store the result, which only a completed job has.
		if let (ResultStatus::Completed, Some(output)) = (ending.status().0, &output) {
			ending.bandwidth.used = ending.bandwidth.used.saturating_add(output.size);
		}
		self.report(record, &ending, figures, output, Some(log))
	}

	/// The report of an ending; kept, so that it is the same after a restart.
	fn report(
		&self,
		record: &RunRecord,
		ending: &Ending,
		figures: Figures,
		output: Option<Output>,
		log: Option<PathBuf>,
	) -> Result<RunReport> {
		let (status, reason) = ending.status();
		let output = output.filter(|_| status.has_output());
		let report = RunReport {
			run: record.run.clone(),
			executor: EXECUTOR_NAME.into(),
			status,
			reason,
			result_hash: output.as_ref().map(|output| output.digest),
			usage: Usage {
				instructions: ending.instructions.used.min(ending.instructions.limit),
				bandwidth: ending.bandwidth.used.min(ending.bandwidth.limit),
			},
			meter: record.descriptor.meter,
			figures,
			log,
			output: output.map(|_| self.output_path(&record.run)),
		};
		self.state.set_report(&report)?;
		Ok(report)
	}

	fn output_path(&self, run: &RunId) -> PathBuf {
		self.state.run_folder(run).join("output.tar")
	}

	pub(super) fn log_path(&self, run: &RunId) -> PathBuf {
		self.state.run_folder(run).join("log")
	}

	/// Keep what the job printed beside its report.
	async fn keep_log(&self, run: &RunId) -> Result<PathBuf> {
		let options = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
		let mut chunks = std::pin::pin!(self.docker.logs(&self.object_name(run), Some(options)));
		let mut text = Vec::new();
		while let Some(chunk) = chunks.next().await {
			text.extend(chunk.map_err(ExecutorError::engine("read the job's log"))?.into_bytes());
		}
		// The engine rotates only after the limit is passed.
		let surplus = text.len().saturating_sub(LOG_BYTES as usize);
		let path = self.log_path(run);
		std::fs::write(&path, &text[surplus..]).map_err(ExecutorError::io("write", &path))?;
		Ok(path)
	}

	/// Fetch `/out` from the engine and bring it into its canonical form.
	async fn fetch_output(
		&self,
		record: &RunRecord,
	) -> Result<std::result::Result<Output, OutputFault>> {
		let run = &record.run;
		let source = match self.has_holder(record.storage) {
			true => self.holder_name(run),
			false => self.object_name(run),
		};
		let options = DownloadFromContainerOptionsBuilder::default().path(OUTPUT_PATH).build();
		let (sender, receiver) = tokio::sync::mpsc::channel(PIECES);
		let spool_path = self.state.run_folder(run).join("spool");
		let archive = self.output_path(run);
		let limits = OutputLimits::of(record.descriptor.limits.storage);
		let canonical = tokio::task::spawn_blocking(move || {
			let mut spool = File::options()
				.create(true)
				.truncate(true)
				.read(true)
				.write(true)
				.open(&spool_path)?;
			// Gone with the file handle, whatever happens.
			std::fs::remove_file(&spool_path)?;
			canonicalise(ChannelReader::new(receiver), &mut spool, &archive, limits)
		});
		let mut failed = None;
		let mut pieces =
			std::pin::pin!(self.docker.download_from_container(&source, Some(options)));
		while let Some(piece) = pieces.try_next().await.unwrap_or_else(|error| {
			failed = Some(error);
			None
		}) {
			// The reader leaves as soon as it has seen enough.
			if sender.send(Ok(piece)).await.is_err() {
				break;
			}
		}
		drop(sender);
		let result = canonical.await.expect("bringing the output into form does not panic; qed");
		match failed {
			// A fault that was found before the stream broke stands.
			Some(error)
				if !matches!(result, Err(OutputFault::OverLimit(_) | OutputFault::Invalid(_))) =>
			{
				Err(ExecutorError::engine("fetch the job's output")(error))
			},
			_ => Ok(result),
		}
	}
}

/// Whether a container could not be started because of what the job's descriptor says. The engine's exit code does
/// not tell: it takes every file that it misses for the command.
fn blames_description(message: &str, program: &str) -> bool {
	let is_command =
		message.contains(program) && COMMAND_FAILED.iter().any(|said| message.contains(said));
	is_command || message.contains(FOLDER_FAILED)
}

/// Whether a container exists that was never started.
fn is_not_started(container: &ContainerInspectResponse) -> bool {
	let status = container.state.as_ref().and_then(|state| state.status);
	status == Some(ContainerStateStatusEnum::CREATED)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn only_the_command_itself_is_the_descriptions_fault() {
		let create = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process:";
		for (message, expected) in [
			(r#"exec: "/job/run": stat /job/run: no such file or directory: unknown"#, true),
			(r#"exec: "/job/run": permission denied: unknown"#, true),
			("crun: executable file `/job/run` not found: No such file or directory", true),
			("unable to apply cgroup configuration: mkdir /sys/fs/cgroup/cpu/modicum/a/b: no such file or directory", false),
			(r#"chdir to cwd ("/root") set in config.json failed: permission denied: unknown"#, true),
			("crun: chdir to `/root`: Permission denied: OCI permission denied", true),
			(r#"exec: "containerd-shim-runc-v2": executable file not found in $PATH"#, false),
		] {
			assert_eq!(blames_description(&format!("{create} {message}"), "/job/run"), expected);
		}
	}
}

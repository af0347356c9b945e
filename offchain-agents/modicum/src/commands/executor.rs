// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the owner of a machine asks before offering it: `provider doctor` and `provider calibrate`.

use crate::{
	config::ExecutorKind,
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Report},
};
use clap::Args;
use modicum_executor::{
	Calibration, Digest, DockerConfig, DockerExecutor, DoctorReport, Executor, ExecutorError,
	NullExecutor, Severity,
};
use serde::Serialize;
use std::{
	path::Path,
	sync::Arc,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The role that doctor and calibration are for.
const PROVIDER: &str = "provider";

/// Arguments of `doctor`.
#[derive(Args, Debug, Clone)]
pub struct DoctorArgs {
	/// Do not compare the clock with the chain's
	#[arg(long)]
	pub offline: bool,
}

/// Arguments of `calibrate`.
#[derive(Args, Debug, Clone)]
pub struct CalibrateArgs {
	/// Show the last measurement instead of making one
	#[arg(long)]
	pub show: bool,
}

/// What was found.
#[derive(Serialize)]
struct Diagnosis {
	usable: bool,
	findings: Vec<FindingOut>,
	architectures: Vec<&'static str>,
	meters: Vec<&'static str>,
	#[serde(skip)]
	text: String,
}

#[derive(Serialize)]
struct FindingOut {
	check: &'static str,
	severity: &'static str,
	message: String,
	remedy: Option<String>,
}

impl Diagnosis {
	fn new(report: DoctorReport) -> Self {
		let verdict = match (report.is_usable(), report.architectures.is_empty()) {
			(true, false) => "This machine can run jobs.",
			(true, true) => "This machine can run jobs once a base image is installed.",
			(false, _) => "This machine cannot run jobs: mend what is REFUSED first.",
		};
		Self {
			usable: report.is_usable(),
			text: format!("{report}{verdict}"),
			architectures: report.architectures.iter().map(|a| a.as_str()).collect(),
			meters: report.meters.iter().map(|m| m.as_str()).collect(),
			findings: report
				.findings
				.into_iter()
				.map(|finding| FindingOut {
					check: finding.check,
					severity: match finding.severity {
						Severity::Fine => "fine",
						Severity::Advice => "advice",
						Severity::Refusal => "refusal",
					},
					message: finding.message,
					remedy: finding.remedy,
				})
				.collect(),
		}
	}
}

impl Report for Diagnosis {
	fn text(&self) -> String {
		self.text.clone()
	}
}

/// What was measured.
#[derive(Serialize)]
struct Measured {
	#[serde(flatten)]
	calibration: Calibration,
	/// What to register with.
	time_per_billion_instructions_ms: u64,
}

impl Measured {
	fn new(calibration: Calibration) -> Self {
		// 10^9 instructions at so many per microsecond, in milliseconds, rounded up: a promise of speed that is
		// too high costs the deposit.
		let time = 1_000_000_u64.div_ceil(calibration.instructions_per_us.max(1));
		Self { calibration, time_per_billion_instructions_ms: time }
	}
}

impl Report for Measured {
	fn text(&self) -> String {
		aligned(&[
			("instructions per microsecond", self.calibration.instructions_per_us.to_string()),
			(
				"processor time to start a container",
				format!("{} ms", self.calibration.overhead_cpu_ns / 1_000_000),
			),
			(
				"register with",
				format!(
					"--time-per-billion-instructions {}",
					self.time_per_billion_instructions_ms
				),
			),
		])
	}
}

/// What an executor of `role` keeps is apart from that of other roles on the same machine.
fn docker(context: &Context, role: &str) -> DockerConfig {
	let settings = &context.config.executor;
	let folder = context.config.executor_folder().join(role);
	// The engine may serve several executors, so its name for this one comes from what only this one has.
	let own = Digest::of(folder.as_os_str().as_encoded_bytes()).to_hex();
	let instance: String = format!("{}{}", settings.instance, &own[..8]);
	let mut config = DockerConfig::new(folder, instance);
	config.socket = Some(settings.socket.clone()).filter(|path| !path.as_os_str().is_empty());
	config.runtime = Some(settings.runtime.clone()).filter(|runtime| !runtime.is_empty());
	config
}

/// The engine, without anything measured.
///
/// # Errors
/// It does not answer, or another process of the role uses it.
pub async fn connect(context: &Context, role: &str) -> Outcome<DockerExecutor> {
	DockerExecutor::connect(docker(context, role)).await.map_err(engine)
}

/// The executor of a role, measured if it was not before.
///
/// # Errors
/// The engine does not answer, or the machine cannot run jobs.
pub async fn executor(context: &Context, role: &str) -> Outcome<Arc<dyn Executor>> {
	if context.config.executor.kind == ExecutorKind::Null {
		tracing::warn!("executor.kind is \"null\": nothing is run, and every result is empty");
		let folder = context.config.executor_folder().join(role);
		std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, error))?;
		return Ok(Arc::new(NullExecutor::new(folder, Duration::ZERO)));
	}
	let executor = connect(context, role).await?;
	if executor.calibration().map_err(engine)?.is_none() {
		tracing::info!("measuring what this machine's processor is worth; this takes some seconds");
		executor.calibrate().await.map_err(engine)?;
	}
	Ok(Arc::new(executor))
}

/// Loads a base image into the engine; the ChainIDs of all that are installed then.
///
/// # Errors
/// The archive cannot be read, or the engine does not take it.
pub async fn install_base(context: &Context, archive: &Path) -> Outcome<Vec<String>> {
	std::fs::metadata(archive).map_err(|error| Failure::file(archive, error))?;
	let executor = connect(context, "base").await?;
	executor.install_base(archive).await.map_err(engine)?;
	let bases = executor.bases().await.map_err(engine)?;
	Ok(bases.into_iter().map(|base| base.chain_id.to_string()).collect())
}

fn engine(error: ExecutorError) -> Failure {
	Failure::new(Exit::Engine, error)
}

/// Says whether this machine can run jobs.
pub async fn doctor(context: &Context, args: &DoctorArgs) -> Outcome {
	let now = if args.offline { None } else { Some(chain_time(context).await?) };
	let diagnosis = Diagnosis::new(DockerExecutor::examine(docker(context, PROVIDER), now).await);
	let exit = if diagnosis.usable { Exit::Success } else { Exit::CheckFailed };
	context.print(&diagnosis);
	Ok(exit)
}

/// The chain's time now: that of its last block, for which the best is taken, since finality comes some blocks
/// later.
async fn chain_time(context: &Context) -> Outcome<SystemTime> {
	let chain = context.chain().await.map_err(|failure| Failure {
		message: format!("{failure}; --offline examines the machine without the chain's clock"),
		..failure
	})?;
	Ok(UNIX_EPOCH + Duration::from_millis(chain.best_time().await?))
}

/// Measures what the processor is worth.
pub async fn calibrate(context: &Context, args: &CalibrateArgs) -> Outcome {
	let executor = connect(context, PROVIDER).await?;
	let calibration = if args.show {
		executor.calibration().map_err(engine)?.ok_or_else(|| {
			Failure::not_found(
				"this machine was not calibrated yet: run modicum provider calibrate",
			)
		})?
	} else {
		executor.calibrate().await.map_err(engine)?
	};
	context.print(&Measured::new(calibration));
	Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_speed_to_register_with_is_never_too_high() {
		let time = |instructions_per_us| {
			let calibration = Calibration { instructions_per_us, overhead_cpu_ns: 0 };
			Measured::new(calibration).time_per_billion_instructions_ms
		};
		assert_eq!(time(1_000), 1_000);
		assert_eq!(time(3_000), 334);
		assert_eq!(time(0), 1_000_000);
	}
}

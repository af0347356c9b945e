// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the owner of a machine asks before offering it: `provider doctor` and `provider calibrate`.

use crate::{
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Report},
};
use clap::Args;
use modicum_executor::{
	Calibration, DockerConfig, DockerExecutor, DoctorReport, Executor, ExecutorError, Severity,
};
use serde::Serialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
		let verdict = match report.is_usable() {
			true => "This machine can run jobs.",
			false => "This machine cannot run jobs: mend what is REFUSED first.",
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

fn docker(context: &Context) -> DockerConfig {
	let settings = &context.config.executor;
	let folder = context.config.executor_folder();
	let mut config = DockerConfig::new(folder, settings.instance.clone());
	config.socket = Some(settings.socket.clone()).filter(|path| !path.as_os_str().is_empty());
	config.runtime = Some(settings.runtime.clone()).filter(|runtime| !runtime.is_empty());
	config
}

fn engine(error: ExecutorError) -> Failure {
	Failure::new(Exit::Engine, error)
}

/// Says whether this machine can run jobs.
pub async fn doctor(context: &Context, args: &DoctorArgs) -> Outcome {
	let now = if args.offline { None } else { Some(chain_time(context).await?) };
	let diagnosis = Diagnosis::new(DockerExecutor::examine(docker(context), now).await);
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
	let executor = DockerExecutor::connect(docker(context)).await.map_err(engine)?;
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

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Limits for a job, proposed from a run on this machine.

use std::fmt;

use modicum_executor::{
	descriptor::{MAX_LIMIT_BYTES, MIN_RAM_BYTES},
	Executor, Figures, RunId, RunOptions, RunReport,
};
use modicum_primitives::{Resources, ResultStatus, Usage};
use serde::Serialize;

use crate::{
	error::{PackagingError, Result},
	pack::Package,
	trial::{clean_up, log_tail, run_id},
};

const MIB: u64 = 1 << 20;
/// The least instructions that are proposed: below it, starting a program weighs more than what it does.
const MIN_INSTRUCTIONS: u64 = 1_000_000_000;
/// The largest margin that is accepted.
const MAX_MARGIN: f64 = 100.0;

/// Limits that a job is tried out with: about an hour of CPU time, 4 GiB of memory and of output.
pub const GENEROUS_LIMITS: Resources = Resources {
	instructions: 10_000_000_000_000,
	ram: 4 << 30,
	storage: 4 << 30,
	bandwidth: 64 << 30,
};

/// How a job is tried out.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileOptions {
	/// What to add to what was measured, as a part of it, from 0 to 100. The default is 1, twice what was measured: CPU
	/// time differs by factors between machines (`docs/executor.md`, Metering), and a job that reaches a limit is paid
	/// for and has no result.
	pub margin: f64,
	/// The limits of the trial.
	pub limits: Resources,
	/// The CPUs and the time on the clock.
	pub run: RunOptions,
}

impl Default for ProfileOptions {
	fn default() -> Self {
		Self { margin: 1.0, limits: GENEROUS_LIMITS, run: RunOptions::default() }
	}
}

/// What a job used, and what limits follow from it. Displayed as the section `[limits]` of a `job.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
	/// The limits proposed: what was measured and the margin, rounded up to two digits (instructions) or whole MiB. The
	/// trial's limit for memory where the kernel does not say how much was used.
	pub limits: Resources,
	/// What the run would have been billed for.
	pub usage: Usage,
	/// The figures measured.
	pub figures: Figures,
	/// The name of the executor that ran the job.
	pub executor: String,
}

/// Run the job once with generous limits and propose limits from what it used.
///
/// # Errors
/// [`PackagingError::NotCompleted`] unless the job completes, [`PackagingError::BadMargin`], and the executor's.
pub async fn profile(
	executor: &dyn Executor,
	package: &Package,
	options: &ProfileOptions,
) -> Result<Profile> {
	if !(0.0..=MAX_MARGIN).contains(&options.margin) {
		return Err(PackagingError::BadMargin(options.margin));
	}
	let run = run_id("profile", 1);
	let report = trial(executor, &run, package, options).await;
	let profile = report.and_then(|report| propose(&report, options));
	clean_up(executor, &run).await;
	profile
}

async fn trial(
	executor: &dyn Executor,
	run: &RunId,
	package: &Package,
	options: &ProfileOptions,
) -> Result<RunReport> {
	let mut job = package.job();
	job.descriptor.limits = options.limits;
	executor.prepare(run, &job).await?;
	Ok(executor.run(run, &options.run).await?)
}

fn propose(report: &RunReport, options: &ProfileOptions) -> Result<Profile> {
	if report.status != ResultStatus::Completed {
		return Err(PackagingError::NotCompleted {
			status: report.status.to_string(),
			reason: report.reason.clone(),
			log: log_tail(report.log.as_deref()),
		});
	}
	let more = |figure: u64| (figure as f64 * (1.0 + options.margin)).ceil() as u64;
	let mebibytes =
		|figure: u64| more(figure).max(1).checked_next_multiple_of(MIB).unwrap_or(u64::MAX);
	let ram = report.figures.peak_memory.map_or(options.limits.ram, mebibytes);
	Ok(Profile {
		limits: Resources {
			instructions: two_digits(more(report.figures.instructions).max(MIN_INSTRUCTIONS)),
			ram: ram.clamp(MIN_RAM_BYTES, MAX_LIMIT_BYTES),
			storage: mebibytes(report.figures.storage).min(MAX_LIMIT_BYTES),
			bandwidth: mebibytes(report.usage.bandwidth),
		},
		usage: report.usage,
		figures: report.figures.clone(),
		executor: report.executor.clone(),
	})
}

/// The next number not below `figure` that has zeros after its second digit.
fn two_digits(figure: u64) -> u64 {
	let digits = figure.checked_ilog10().unwrap_or(0);
	let unit = 10u64.pow(digits.saturating_sub(1));
	figure.checked_next_multiple_of(unit).unwrap_or(u64::MAX)
}

impl fmt::Display for Profile {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Resources { instructions, ram, storage, bandwidth } = self.limits;
		writeln!(f, "[limits]")?;
		writeln!(f, "instructions = {instructions}")?;
		for (key, bytes) in [("ram", ram), ("storage", storage), ("bandwidth", bandwidth)] {
			match bytes % MIB {
				0 => writeln!(f, "{key} = \"{} MiB\"", bytes / MIB)?,
				_ => writeln!(f, "{key} = {bytes}")?,
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use modicum_primitives::Meter;
	use proptest::prelude::*;

	use super::*;

	fn report(status: ResultStatus, figures: Figures, bandwidth: u64) -> RunReport {
		RunReport {
			run: run_id("test", 1),
			executor: "test".into(),
			status,
			reason: "because".into(),
			result_hash: None,
			usage: Usage { instructions: figures.instructions, bandwidth },
			meter: Meter::CpuTime,
			figures,
			log: None,
			output: None,
		}
	}

	fn options(margin: f64) -> ProfileOptions {
		ProfileOptions { margin, ..Default::default() }
	}

	#[test]
	fn limits_are_what_was_measured_and_the_margin_rounded_up() {
		let figures = Figures {
			instructions: 41_234_567_890,
			peak_memory: Some(100 * MIB),
			storage: 8192,
			..Default::default()
		};
		let report = report(ResultStatus::Completed, figures.clone(), 3 * MIB + 1);
		let profile = propose(&report, &options(0.5)).unwrap();
		let expected = Resources {
			instructions: 62_000_000_000,
			ram: 150 * MIB,
			storage: MIB,
			bandwidth: 5 * MIB,
		};
		assert_eq!(profile.limits, expected);
		assert_eq!(profile.figures, figures);
		assert_eq!(
			profile.to_string(),
			"[limits]\ninstructions = 62000000000\nram = \"150 MiB\"\nstorage = \"1 MiB\"\nbandwidth = \"5 MiB\"\n"
		);
	}

	#[test]
	fn a_job_that_does_not_complete_has_no_profile() {
		let report = report(ResultStatus::ExceptionOccurred, Figures::default(), 0);
		let error = propose(&report, &options(0.5)).unwrap_err().to_string();
		assert!(error.contains("because"), "{error}");
	}

	proptest! {
		#[test]
		fn proposed_limits_hold_what_was_measured_and_are_valid(
			instructions in 0..1u64 << 50,
			memory in proptest::option::of(0..1u64 << 43),
			storage in 0..1u64 << 43,
			bandwidth in 0..1u64 << 50,
			margin in 0.0..MAX_MARGIN,
		) {
			let figures =
				Figures { instructions, peak_memory: memory, storage, ..Default::default() };
			let report = report(ResultStatus::Completed, figures, bandwidth);
			let limits = propose(&report, &options(margin)).unwrap().limits;
			prop_assert!(limits.instructions > instructions || margin == 0.0);
			prop_assert!(limits.instructions >= instructions.max(MIN_INSTRUCTIONS));
			prop_assert!(limits.ram >= memory.unwrap_or(GENEROUS_LIMITS.ram));
			prop_assert!((MIN_RAM_BYTES..=MAX_LIMIT_BYTES).contains(&limits.ram));
			prop_assert!(limits.storage >= storage && limits.storage <= MAX_LIMIT_BYTES);
			prop_assert!(limits.bandwidth >= bandwidth);
			// Never more than rounding adds.
			let most = (instructions.max(MIN_INSTRUCTIONS) as f64) * (1.0 + margin) * 1.1 + 1.0;
			prop_assert!((limits.instructions as f64) <= most);
		}
	}
}

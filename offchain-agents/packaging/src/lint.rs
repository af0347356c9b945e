// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Whether a job is deterministic, as far as two runs on one machine can tell.

use std::{fmt, num::NonZero, time::Duration};

use modicum_executor::{CpuSet, Digest, Executor, Figures, RunId, RunOptions, RunReport};
use modicum_primitives::{Resources, ResultStatus, Usage};
use serde::Serialize;

use crate::{
	compare::{first_difference, Difference},
	error::{PackagingError, Result},
	pack::Package,
	trial::{clean_up, log_tail, run_id},
};

/// The second run starts so long after the end of the first one: clocks that show seconds then show another time.
const APART: Duration = Duration::from_millis(1100);
/// A run that used more than this part of a limit, in per cent, may reach the limit on another machine.
const CLOSE_PERCENT: u64 = 80;

/// What two runs of a job under different conditions showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LintReport {
	/// The runs.
	pub runs: [LintRun; 2],
	/// Whether they agree, and what differs.
	pub finding: Finding,
	/// The limits of which a run used more than 80 %: on another machine it may reach them, and end in another way.
	pub close_to_limits: Vec<&'static str>,
}

/// One run of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LintRun {
	/// The CPUs that it had.
	pub cpus: CpuSet,
	/// How it ended.
	pub status: ResultStatus,
	/// Why, for people.
	pub reason: String,
	/// The digest of its output, if it completed.
	pub result_hash: Option<Digest>,
	/// What it would have been billed for.
	pub usage: Usage,
	/// The figures measured.
	pub figures: Figures,
	/// The end of what it printed. Not part of the result.
	pub log: String,
}

/// Whether two runs agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
	/// Same status, same result.
	Same,
	/// They ended in different ways.
	StatusDiffers,
	/// Both completed with different results.
	ResultDiffers(Difference),
}

impl LintReport {
	/// Whether the runs agree. A job that fails in the same way twice is deterministic, too.
	pub fn is_deterministic(&self) -> bool {
		self.finding == Finding::Same
	}
}

/// Run the job twice, on other CPUs, at another time and in another container, and compare. That two runs agree does not
/// prove that all will; that they do not proves that a mediator would find the creator at fault.
///
/// # Errors
/// The executor's, such as a fault in the job's description, which comes before anything runs.
pub async fn lint(executor: &dyn Executor, package: &Package) -> Result<LintReport> {
	let runs = [run_id("lint", 1), run_id("lint", 2)];
	let report = compare(executor, package, &runs).await;
	for run in &runs {
		clean_up(executor, run).await;
	}
	report
}

async fn compare(
	executor: &dyn Executor,
	package: &Package,
	[one, other]: &[RunId; 2],
) -> Result<LintReport> {
	let conditions =
		conditions(std::thread::available_parallelism().map_or(1, NonZero::get) as u32);
	let reports = [run(executor, package, one, &conditions[0]).await?, {
		tokio::time::sleep(APART).await;
		run(executor, package, other, &conditions[1]).await?
	}];
	let finding = find(&reports)?;
	let limits = package.descriptor.limits;
	let close_to_limits = close(&limits, &reports);
	let [first, second] = reports;
	let [cpus, other_cpus] = conditions;
	Ok(LintReport {
		runs: [LintRun::new(first, cpus), LintRun::new(second, other_cpus)],
		finding,
		close_to_limits,
	})
}

/// The CPUs of the two runs on a machine that has `count`: the first one, and all others, because how many there are may
/// change a result as well. The same twice if there is only one.
fn conditions(count: u32) -> [CpuSet; 2] {
	let others: CpuSet = (1..count).collect();
	let first = CpuSet::one(0);
	let second = if others.is_empty() { first.clone() } else { others };
	[first, second]
}

async fn run(
	executor: &dyn Executor,
	package: &Package,
	run: &RunId,
	cpus: &CpuSet,
) -> Result<RunReport> {
	executor.prepare(run, &package.job()).await?;
	let options = RunOptions { cpus: cpus.clone(), wall_limit: None };
	Ok(executor.run(run, &options).await?)
}

fn find([one, other]: &[RunReport; 2]) -> Result<Finding> {
	if one.status != other.status {
		return Ok(Finding::StatusDiffers);
	}
	if one.result_hash == other.result_hash {
		return Ok(Finding::Same);
	}
	let path = |report: &RunReport| {
		report.output.clone().expect("a report with a result hash names its output; qed")
	};
	let (one, other) = (path(one), path(other));
	let difference = first_difference(&one, &other)
		.map_err(PackagingError::io("compare the outputs with", one))?;
	Ok(Finding::ResultDiffers(difference))
}

fn close(limits: &Resources, reports: &[RunReport]) -> Vec<&'static str> {
	let most = |figure: fn(&RunReport) -> u64| reports.iter().map(figure).max().unwrap_or_default();
	let figures = [
		("instructions", most(|report| report.figures.instructions), limits.instructions),
		("ram", most(|report| report.figures.peak_memory.unwrap_or_default()), limits.ram),
		("storage", most(|report| report.figures.storage), limits.storage),
		("bandwidth", most(|report| report.usage.bandwidth), limits.bandwidth),
	];
	let is_close = |used: u64, limit: u64| {
		u128::from(used) * 100 > u128::from(limit) * u128::from(CLOSE_PERCENT)
	};
	let close = figures.into_iter().filter(|(_, used, limit)| is_close(*used, *limit));
	close.map(|(name, ..)| name).collect()
}

impl LintRun {
	fn new(report: RunReport, cpus: CpuSet) -> Self {
		Self {
			cpus,
			log: log_tail(report.log.as_deref()),
			status: report.status,
			reason: report.reason,
			result_hash: report.result_hash,
			usage: report.usage,
			figures: report.figures,
		}
	}
}

impl fmt::Display for LintReport {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for (index, run) in self.runs.iter().enumerate() {
			write!(f, "run {} on CPUs {}: {}", index + 1, run.cpus, run.status)?;
			match run.result_hash {
				Some(hash) => writeln!(f, ", {hash}")?,
				None => writeln!(f, ", {}", run.reason)?,
			}
		}
		match &self.finding {
			Finding::Same if self.runs[0].status == ResultStatus::Completed => {
				writeln!(f, "both runs gave the same result")?
			},
			Finding::Same => writeln!(f, "both runs failed in the same way")?,
			Finding::StatusDiffers => {
				writeln!(f, "NOT deterministic: the two runs ended in different ways")?
			},
			Finding::ResultDiffers(difference) => writeln!(f, "NOT deterministic: {difference}")?,
		}
		if !self.close_to_limits.is_empty() {
			let limits = self.close_to_limits.join(", ");
			writeln!(f, "more than {CLOSE_PERCENT} % of these limits was used, and other machines may need more: {limits}")?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_second_run_has_other_cpus_where_there_are_any() {
		for (count, second) in [(1, "0"), (2, "1"), (4, "1,2,3")] {
			let [one, other] = conditions(count);
			assert_eq!((one.to_string().as_str(), other.to_string().as_str()), ("0", second));
		}
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What one run of a job is asked and what it reports.

use std::{collections::BTreeSet, fmt, path::PathBuf, str::FromStr, time::Duration};

use modicum_primitives::{Meter, ResultStatus, Usage};
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, error::ExecutorError};

/// The longest name of a run or of an instance, in characters.
const MAX_NAME_CHARS: usize = 32;
const HOLDER_SUFFIX: &str = "holder";
/// The run in whose name machines are tried out.
pub(crate) const PROBE_RUN: &str = "probe";
/// A file in every cgroup of the first version, beside which no run's cgroup could have that name.
const CONTROL_FILE: &str = "tasks";

/// The name of one run: 1 to 32 of the characters a-z and 0-9, not `probe`, not `tasks` and not ending in `holder`,
/// chosen by the caller and the same after a restart, for example `match42` for a provider and `match42run1` for a mediator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
	/// The name as text.
	pub fn as_str(&self) -> &str {
		&self.0
	}

	/// The name under which the container that keeps this run's output is accounted for.
	pub(crate) fn holder(&self) -> Self {
		Self(format!("{}{HOLDER_SUFFIX}", self.0))
	}

	/// Whether the executor or the kernel uses the name for itself.
	pub(crate) fn is_reserved(&self) -> bool {
		[PROBE_RUN, CONTROL_FILE].contains(&self.0.as_str()) || self.0.ends_with(HOLDER_SUFFIX)
	}
}

impl fmt::Display for RunId {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.0)
	}
}

impl From<RunId> for String {
	fn from(run: RunId) -> Self {
		run.0
	}
}

impl TryFrom<String> for RunId {
	type Error = ExecutorError;

	fn try_from(name: String) -> Result<Self, Self::Error> {
		check_name(&name)?;
		Ok(Self(name))
	}
}

impl FromStr for RunId {
	type Err = ExecutorError;

	fn from_str(name: &str) -> Result<Self, Self::Err> {
		name.to_owned().try_into()
	}
}

/// Names become parts of paths, labels and systemd slices: only what is harmless in all of them.
pub(crate) fn check_name(name: &str) -> Result<(), ExecutorError> {
	let usable = (1..=MAX_NAME_CHARS).contains(&name.len())
		&& name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
	usable.then_some(()).ok_or_else(|| ExecutorError::BadName(name.chars().take(40).collect()))
}

/// The CPUs that a run may use. One is the rule: with more, threads of a job interleave differently in
/// every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuSet(BTreeSet<u32>);

impl CpuSet {
	/// A set of one CPU, by its number.
	pub fn one(cpu: u32) -> Self {
		Self([cpu].into())
	}

	/// How many CPUs are in the set.
	pub fn len(&self) -> usize {
		self.0.len()
	}

	/// Whether there is none, which no run accepts.
	pub fn is_empty(&self) -> bool {
		self.0.is_empty()
	}

	/// The CPUs' numbers.
	pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
		self.0.iter().copied()
	}
}

impl FromIterator<u32> for CpuSet {
	fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> Self {
		Self(cpus.into_iter().collect())
	}
}

impl fmt::Display for CpuSet {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for (index, cpu) in self.0.iter().enumerate() {
			write!(f, "{}{cpu}", if index == 0 { "" } else { "," })?;
		}
		Ok(())
	}
}

/// What the machine's owner decides about a run. None of it may change a deterministic job's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
	/// The CPUs that the run may use.
	pub cpus: CpuSet,
	/// The longest the run may take on the clock, as a backstop for jobs that use no CPU time; `None`
	/// for ten times what its instructions take on one CPU, and a minute.
	pub wall_limit: Option<Duration>,
}

impl Default for RunOptions {
	fn default() -> Self {
		Self { cpus: CpuSet::one(0), wall_limit: None }
	}
}

/// How a run ended and what it used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
	/// The run.
	pub run: RunId,
	/// Which implementation ran it. Nobody should pay for a report of the one called `null`.
	pub executor: String,
	/// The status to post.
	pub status: ResultStatus,
	/// Why, for people; not part of any hash.
	pub reason: String,
	/// The digest of the output archive; `None` unless the status is `Completed`.
	pub result_hash: Option<Digest>,
	/// What is billed: within the job's limits.
	pub usage: Usage,
	/// How instructions were counted.
	pub meter: Meter,
	/// The figures that the usage was computed from.
	pub figures: Figures,
	/// What the job printed, at most its last [`crate::docker::LOG_BYTES`] or so.
	pub log: Option<PathBuf>,
	/// The canonical archive of the output; `None` unless the status is `Completed`.
	pub output: Option<PathBuf>,
}

/// What was measured, before anything was computed from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
	/// CPU time that the kernel charged to the job's cgroup, in nanoseconds.
	pub cpu_ns: u64,
	/// The part of it that starting any container costs on this machine, in nanoseconds.
	pub cpu_overhead_ns: u64,
	/// Instructions per microsecond of CPU time on this machine, where that is the meter.
	pub instructions_per_us: Option<u64>,
	/// User-mode instructions that the processor counted, where that is the meter.
	pub hardware_instructions: Option<u64>,
	/// Instructions before they were cut to the job's limit.
	pub instructions: u64,
	/// The most memory charged at one time, page cache included, in bytes; `None` if the kernel does not say.
	pub peak_memory: Option<u64>,
	/// The storage of the output, in bytes: whole blocks of 4096.
	pub storage: u64,
	/// Sockets, FIFOs and device files that were left out of the output.
	pub left_out: u64,
	/// Time on the clock from start to exit, in nanoseconds.
	pub wall_ns: u64,
	/// The first process's exit code; 128 and the signal's number if a signal ended it.
	pub exit_code: Option<i64>,
	/// Whether the kernel killed a process of the job for want of memory.
	pub out_of_memory: bool,
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn names_are_harmless_everywhere() {
		for good in ["a", "match42run1", &"x".repeat(32)] {
			assert_eq!(good.parse::<RunId>().unwrap().as_str(), good);
		}
		for bad in ["", "A", "a-b", "a/b", "..", "a b", "ä", &"x".repeat(33)] {
			assert!(bad.parse::<RunId>().is_err(), "{bad}");
			assert!(serde_json::from_str::<RunId>(&format!("{bad:?}")).is_err(), "{bad}");
		}
	}

	#[test]
	fn a_cpu_set_is_written_as_the_kernel_reads_it() {
		assert_eq!(CpuSet::from_iter([3, 0, 3]).to_string(), "0,3");
		assert_eq!(CpuSet::one(1).to_string(), "1");
		assert!(CpuSet::from_iter([]).is_empty());
	}
}

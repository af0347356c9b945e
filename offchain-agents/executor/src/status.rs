// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From how a run ended to the one status that is posted for it.

use modicum_primitives::ResultStatus;

/// Everything that may be true at the end of a job, from the fetching of its files to its output. Several
/// may hold at once; [`Ending::status`] decides, and provider and mediator must both use it, or they
/// would disagree about honest runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
	/// The directory answered that it does not have the job.
	pub job_not_found: bool,
	/// The directory did not answer, after every retry.
	pub directory_unavailable: bool,
	/// What is wrong with the job as described, or why its command did not start.
	pub description_fault: Option<String>,
	/// Bytes moved or about to be moved, and the limit.
	pub bandwidth: Figure,
	/// Instructions metered, and the limit.
	pub instructions: Figure,
	/// Whether the kernel killed any process of the job for want of memory.
	pub out_of_memory: bool,
	/// Of what the output has more than the job may use, if so.
	pub storage_exceeded: Option<String>,
	/// What makes the output unusable as a result.
	pub output_fault: Option<String>,
	/// Whether the run was stopped by the clock.
	pub wall_limit_reached: bool,
	/// The first process's exit code, if it ran.
	pub exit_code: Option<i64>,
}

/// A figure and its limit, in the figure's own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figure {
	/// What was used.
	pub used: u64,
	/// What may be used.
	pub limit: u64,
}

impl Ending {
	/// The status, and the reason for people. The first that holds of: not found, directory unavailable,
	/// description, bandwidth, instructions, memory, storage, exception, completed.
	pub fn status(&self) -> (ResultStatus, String) {
		use ResultStatus::*;
		if self.job_not_found {
			return (JobNotFound, "the directory does not have the job".into());
		}
		if self.directory_unavailable {
			return (DirectoryUnavailable, "the directory does not answer".into());
		}
		if let Some(fault) = &self.description_fault {
			return (JobDescriptionError, fault.clone());
		}
		let Figure { used, limit } = self.bandwidth;
		if used > limit {
			return (BandwidthExceeded, format!("{used} bytes to move, {limit} allowed"));
		}
		// At the limit, not above: a job that the poll stops has reached it, and one that ends by itself
		// between two polls must be treated alike.
		let Figure { used, limit } = self.instructions;
		if used >= limit {
			return (InstructionsExceeded, format!("{used} instructions, {limit} allowed"));
		}
		if self.out_of_memory {
			return (MemoryExceeded, "a process was killed for want of memory".into());
		}
		if let Some(excess) = &self.storage_exceeded {
			return (StorageExceeded, excess.clone());
		}
		if self.wall_limit_reached {
			return (ExceptionOccurred, "stopped: it took too long on the clock".into());
		}
		match self.exit_code {
			Some(0) => {},
			Some(code) if code > 128 => {
				return (ExceptionOccurred, format!("exit code {code} (signal {})", code - 128))
			},
			Some(code) => return (ExceptionOccurred, format!("exit code {code}")),
			None => return (ExceptionOccurred, "it did not run to its end".into()),
		}
		match &self.output_fault {
			Some(fault) => (ExceptionOccurred, fault.clone()),
			None => (Completed, "it ran to its end".into()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn completed() -> Ending {
		Ending {
			bandwidth: Figure { used: 10, limit: 10 },
			instructions: Figure { used: 9, limit: 10 },
			exit_code: Some(0),
			..Default::default()
		}
	}

	type Edit = fn(&mut Ending);

	/// Each fault in the order in which it takes precedence.
	const FAULTS: [(ResultStatus, Edit); 11] = [
		(ResultStatus::JobNotFound, |ending| ending.job_not_found = true),
		(ResultStatus::DirectoryUnavailable, |ending| ending.directory_unavailable = true),
		(ResultStatus::JobDescriptionError, |ending| {
			ending.description_fault = Some("no such program".into())
		}),
		(ResultStatus::BandwidthExceeded, |ending| ending.bandwidth.used = 11),
		(ResultStatus::InstructionsExceeded, |ending| ending.instructions.used = 10),
		(ResultStatus::MemoryExceeded, |ending| ending.out_of_memory = true),
		(ResultStatus::StorageExceeded, |ending| ending.storage_exceeded = Some("too much".into())),
		(ResultStatus::ExceptionOccurred, |ending| ending.wall_limit_reached = true),
		(ResultStatus::ExceptionOccurred, |ending| ending.exit_code = Some(137)),
		(ResultStatus::ExceptionOccurred, |ending| ending.exit_code = None),
		(ResultStatus::ExceptionOccurred, |ending| ending.output_fault = Some("a link".into())),
	];

	#[test]
	fn each_fault_has_its_status() {
		assert_eq!(completed().status().0, ResultStatus::Completed);
		for (expected, add) in FAULTS {
			let mut ending = completed();
			add(&mut ending);
			assert_eq!(ending.status().0, expected, "{ending:?}");
		}
	}

	#[test]
	fn of_two_faults_the_first_decides() {
		for (index, (expected, first)) in FAULTS.iter().enumerate() {
			for (_, second) in &FAULTS[index..] {
				let mut ending = completed();
				second(&mut ending);
				first(&mut ending);
				assert_eq!(ending.status().0, *expected, "{ending:?}");
			}
		}
	}

	#[test]
	fn exit_code_137_alone_is_no_proof_of_memory() {
		let killed = Ending { exit_code: Some(137), ..completed() };
		assert_eq!(killed.status().0, ResultStatus::ExceptionOccurred);
		let child_killed = Ending { out_of_memory: true, ..completed() };
		assert_eq!(child_killed.status().0, ResultStatus::MemoryExceeded);
	}
}

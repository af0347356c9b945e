// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How instructions are counted: by the processor where it can, else as CPU time times a rate.

use std::{hint::black_box, path::Path};

use serde::{Deserialize, Serialize};

use crate::counter::HardwareCounter;

/// Instructions in one round of the reference loop, by definition: six operations on two numbers, of which each
/// needs the one before, then the count and the jump.
const INSTRUCTIONS_PER_ROUND: u64 = 8;
const ROUNDS: u64 = 25_000_000;
const TRIALS: usize = 5;

/// What one machine's CPU time is worth. Measured once by [`crate::Executor::calibrate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
	/// Instructions per microsecond of CPU time: about the clock rate in MHz.
	pub instructions_per_us: u64,
	/// CPU time that starting any container costs, in nanoseconds: charged to the job by the kernel and
	/// subtracted again.
	pub overhead_cpu_ns: u64,
}

impl Calibration {
	/// Instructions for `cpu_ns` nanoseconds of CPU time: what is above the overhead, times the rate, rounded
	/// down. Saturates at the largest number.
	pub fn instructions(&self, cpu_ns: u64) -> u64 {
		let net = u128::from(cpu_ns.saturating_sub(self.overhead_cpu_ns));
		u64::try_from(net * u128::from(self.instructions_per_us) / 1000).unwrap_or(u64::MAX)
	}

	/// The least CPU time in nanoseconds that counts as `instructions`: the inverse of [`Self::instructions`].
	pub fn cpu_ns(&self, instructions: u64) -> u64 {
		let net =
			(u128::from(instructions) * 1000).div_ceil(u128::from(self.instructions_per_us.max(1)));
		u64::try_from(net).unwrap_or(u64::MAX).saturating_add(self.overhead_cpu_ns)
	}
}

/// The rate of this machine, in instructions per microsecond: the best of some trials of the reference loop,
/// since whatever disturbs a trial can only make it slower. Takes about half a second.
pub(crate) fn measure_rate() -> u64 {
	let best = (0..TRIALS).map(|_| reference_loop_ns()).min().unwrap_or(1).max(1);
	(u128::from(ROUNDS * INSTRUCTIONS_PER_ROUND) * 1000 / u128::from(best)).max(1) as u64
}

/// CPU time of the reference loop, in nanoseconds.
fn reference_loop_ns() -> u64 {
	let start = thread_cpu_ns();
	let (mut a, mut b) = black_box((1u64, 2u64));
	for _ in 0..ROUNDS {
		a = (a ^ b).rotate_left(13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
		b = b.wrapping_add(a).rotate_right(7) ^ 0x2545_f491_4f6c_dd1d;
	}
	black_box((a, b));
	thread_cpu_ns() - start
}

fn thread_cpu_ns() -> u64 {
	let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
	time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Whether jobs' instructions can be counted by the processor: tries a counter on the machine's own cgroup,
/// which a machine without such counters, a virtual one for example, refuses.
pub(crate) fn probe_hardware(root: Option<&Path>) -> Result<(), String> {
	let root = root.ok_or("no cgroup hierarchy to which a counter could be attached is mounted")?;
	let cpus = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
	let mut counter =
		HardwareCounter::open(root, &(0..cpus).collect()).map_err(|error| error.to_string())?;
	let before = counter.read().map_err(|error| error.to_string())?;
	reference_loop_ns();
	let after = counter.read().map_err(|error| error.to_string())?;
	// A counter that opens but does not count would make every job free.
	(after.saturating_sub(before) >= ROUNDS)
		.then_some(())
		.ok_or_else(|| "the counter does not count".into())
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use proptest::prelude::*;

	use super::*;

	#[test]
	fn the_overhead_is_subtracted_first() {
		let calibration = Calibration { instructions_per_us: 2500, overhead_cpu_ns: 30_000_000 };
		assert_eq!(calibration.instructions(0), 0);
		assert_eq!(calibration.instructions(30_000_000), 0);
		assert_eq!(calibration.instructions(30_001_000), 2500);
		assert_eq!(calibration.cpu_ns(2500), 30_001_000);
		assert_eq!(calibration.cpu_ns(1), 30_000_001);
		assert_eq!(calibration.instructions(u64::MAX), u64::MAX);
		assert_eq!(calibration.cpu_ns(u64::MAX), u64::MAX / 5 * 2 + 30_000_000);
	}

	proptest! {
		#[test]
		fn reaching_the_cpu_time_is_reaching_the_instructions(
			instructions_per_us in 1..100_000u64,
			overhead_cpu_ns in 0..1_000_000_000u64,
			instructions in 1..1u64 << 50,
		) {
			let calibration = Calibration { instructions_per_us, overhead_cpu_ns };
			let limit = calibration.cpu_ns(instructions);
			prop_assert!(calibration.instructions(limit) >= instructions);
			prop_assert!(calibration.instructions(limit - 1) < instructions);
		}
	}

	#[test]
	fn a_measured_rate_is_that_of_a_processor() {
		// From a slow board to what no processor reaches: a wrong unit falls outside.
		let rate = measure_rate();
		assert!((20..20_000).contains(&rate), "{rate} instructions per microsecond");
	}

	#[test]
	fn without_a_hierarchy_there_is_no_counter() {
		assert!(probe_hardware(None).is_err());
		let folder = tempfile::tempdir().unwrap();
		// A plain folder is no cgroup, on machines with a counter as well.
		assert!(probe_hardware(Some(folder.path())).is_err());
	}
}

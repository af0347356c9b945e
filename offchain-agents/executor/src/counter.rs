// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The processor's count of the user-mode instructions of one cgroup.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
mod implementation {
	use crate::run::CpuSet;
	use perf_event::{events::Hardware, Builder, Counter};
	use std::{fs::File, io, path::Path};

	pub(crate) struct HardwareCounter(Vec<Counter>);

	impl HardwareCounter {
		/// Count in the cgroup `folder`, and all below it, on each of `cpus`.
		pub(crate) fn open(folder: &Path, cpus: &CpuSet) -> io::Result<Self> {
			let cgroup = File::open(folder)?;
			let counters = cpus.iter().map(|cpu| {
				let mut builder = Builder::new(Hardware::INSTRUCTIONS);
				builder.observe_cgroup(&cgroup).one_cpu(cpu as usize);
				// Pinned: a counter that had to share its register would only estimate.
				builder.exclude_kernel(true).exclude_hv(true).pinned(true).enabled(true);
				builder.build()
			});
			counters.collect::<io::Result<_>>().map(Self)
		}

		/// Instructions so far.
		pub(crate) fn read(&mut self) -> io::Result<u64> {
			self.0.iter_mut().try_fold(0u64, |sum, counter| Ok(sum.saturating_add(counter.read()?)))
		}
	}
}

/// On other processors, 32-bit ARM for one, nothing is counted: there are no bindings for them.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod implementation {
	use crate::run::CpuSet;
	use std::{convert::Infallible, io, path::Path};

	pub(crate) struct HardwareCounter(Infallible);

	impl HardwareCounter {
		pub(crate) fn open(_folder: &Path, _cpus: &CpuSet) -> io::Result<Self> {
			let reason = format!("instructions are not counted on {}", std::env::consts::ARCH);
			Err(io::Error::new(io::ErrorKind::Unsupported, reason))
		}

		pub(crate) fn read(&mut self) -> io::Result<u64> {
			match self.0 {}
		}
	}
}

pub(crate) use implementation::HardwareCounter;

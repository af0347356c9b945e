// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Trying out the machine: that containers of an architecture run, and what starting one costs.

use bollard::query_parameters::{CreateContainerOptionsBuilder, WaitContainerOptions};
use futures::StreamExt;
use modicum_primitives::Architecture;

use super::{
	engine::Inner,
	image::BaseImage,
	profile::{self, ContainerSpec},
};
use crate::{
	descriptor::MIN_RAM_BYTES,
	error::{ExecutorError, Result},
	meter::{measure_rate, Calibration},
	run::{RunId, PROBE_RUN},
};

/// How often a container that does nothing is started to find the usual cost.
const PROBES: u32 = 7;
/// What does nothing, in every base.
const NOTHING: &str = "/bin/true";

impl Inner {
	pub(super) async fn calibrate(&self) -> Result<Calibration> {
		self.check_suitable()?;
		let here = self.facts.architecture();
		let base = self.bases().await?.into_iter().find(|base| base.architecture == here);
		let base = base.ok_or_else(|| {
			ExecutorError::Unsuitable("no base image of its architecture is installed".into())
		})?;
		let mut costs = Vec::new();
		for _ in 0..PROBES {
			costs.push(self.probe(&base).await?.ok_or_else(|| {
				ExecutorError::Unsuitable(format!("{NOTHING} of the base {} fails", base.chain_id))
			})?);
		}
		costs.sort_unstable();
		let rate =
			tokio::task::spawn_blocking(measure_rate).await.expect("measuring does not panic; qed");
		let calibration = Calibration {
			instructions_per_us: rate,
			// The median: of few values, neither the best nor the worst is what to expect.
			overhead_cpu_ns: costs[costs.len() / 2],
		};
		self.state.set_calibration(&calibration)?;
		Ok(calibration)
	}

	/// The architectures of which a base runs here.
	pub(super) async fn self_test(&self) -> Result<Vec<(Architecture, bool)>> {
		let mut tested: Vec<(Architecture, bool)> = Vec::new();
		for base in self.bases().await? {
			let Some(architecture) = base.architecture else { continue };
			if tested.iter().any(|(known, _)| *known == architecture) {
				continue;
			}
			tested.push((architecture, self.probe(&base).await?.is_some()));
		}
		Ok(tested)
	}

	/// CPU time in nanoseconds of a container that does nothing; `None` if it fails.
	async fn probe(&self, base: &BaseImage) -> Result<Option<u64>> {
		let _alone = self.probing.lock().await;
		let run: RunId = PROBE_RUN.parse().expect("it has the characters of a name; qed");
		self.clean_up(&run).await?;
		let result = self.run_probe(&run, base).await;
		self.clean_up(&run).await?;
		result
	}

	async fn run_probe(&self, run: &RunId, base: &BaseImage) -> Result<Option<u64>> {
		let body = profile::container(&ContainerSpec {
			image: &base.image,
			seccomp: self.seccomp(base.architecture.unwrap_or(Architecture::Amd64))?,
			command: &[NOTHING.into()],
			environment: &[],
			working_directory: "/",
			labels: &self.labels(run),
			cgroup_parent: self.cgroups.parent(run),
			ram: MIN_RAM_BYTES,
			cpus: "0".into(),
			output_volume: None,
			fixed_files: &self.state.fixed_files(),
			runtime: self.config.runtime.as_deref(),
			process_rlimit: self.process_rlimit(),
		});
		let name = self.object_name(run);
		let options = CreateContainerOptionsBuilder::default().name(&name).build();
		let failed = || ExecutorError::engine("start a container that does nothing");
		self.docker.create_container(Some(options), body).await.map_err(failed())?;
		if let Err(error) = self.start(&name).await {
			tracing::debug!(base = %base.chain_id, %error, "a probe did not start");
			return Ok(None);
		}
		let mut waiting =
			std::pin::pin!(self.docker.wait_container(&name, None::<WaitContainerOptions>));
		while let Some(Ok(_)) = waiting.next().await {}
		let state = self.inspect(run).await?.and_then(|container| container.state);
		if state.and_then(|state| state.exit_code) != Some(0) {
			return Ok(None);
		}
		let reading =
			self.cgroups.read(run).map_err(ExecutorError::io("read the figures of", "a probe"))?;
		let reading = reading.ok_or_else(|| {
			ExecutorError::Unsuitable(
				"the engine does not put containers below the cgroup asked for".into(),
			)
		})?;
		Ok(Some(reading.cpu_ns))
	}
}

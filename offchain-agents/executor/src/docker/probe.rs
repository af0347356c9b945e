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

/// What a container that does nothing showed; why it did not run, if so.
pub(super) type Probed = std::result::Result<Probe, String>;

pub(super) struct Probe {
	/// CPU time that was charged for it, in nanoseconds.
	cpu_ns: u64,
	/// Whether the engine's own monitor of the container is part of that.
	pub monitored: bool,
}

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
			let probe = self.probe(&base).await?.map_err(|why| {
				let base = base.chain_id;
				ExecutorError::Unsuitable(format!("{NOTHING} of the base {base} fails: {why}"))
			})?;
			if probe.monitored {
				let what = "the engine charges its own monitor of a container to the job";
				return Err(ExecutorError::Unsuitable(what.into()));
			}
			costs.push(probe.cpu_ns);
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
	pub(super) async fn self_test(&self) -> Result<Vec<(Architecture, Probed)>> {
		let mut tested: Vec<(Architecture, Probed)> = Vec::new();
		for base in self.bases().await? {
			let Some(architecture) = base.architecture else { continue };
			if tested.iter().any(|(known, _)| *known == architecture) {
				continue;
			}
			tested.push((architecture, self.probe(&base).await?));
		}
		Ok(tested)
	}

	/// Run a container that does nothing.
	async fn probe(&self, base: &BaseImage) -> Result<Probed> {
		let _alone = self.probing.lock().await;
		let run: RunId = PROBE_RUN.parse().expect("it has the characters of a name; qed");
		self.clean_up(&run).await?;
		let result = self.run_probe(&run, base).await;
		self.clean_up(&run).await?;
		result
	}

	/// Make a container that does nothing, to be tried out or looked into. It has the name of the run's own, so that
	/// whatever cuts this short, it is removed along with the run.
	pub(super) async fn create_idle(
		&self,
		run: &RunId,
		image: &str,
		architecture: Architecture,
	) -> Result<String> {
		let body = profile::container(&ContainerSpec {
			image,
			seccomp: self.seccomp(architecture),
			command: &[NOTHING.into()],
			environment: &[],
			working_directory: "/",
			labels: &self.labels(run),
			cgroup_parent: self.cgroup_parent(run)?,
			ram: MIN_RAM_BYTES,
			cpus: "0".into(),
			output_volume: None,
			fixed_files: &self.state.fixed_files(),
			runtime: self.config.runtime.as_deref(),
			podman: self.facts.is_podman(),
		});
		let name = self.object_name(run);
		let options = CreateContainerOptionsBuilder::default().name(&name).build();
		let failed = ExecutorError::engine("create a container that does nothing");
		self.docker.create_container(Some(options), body).await.map_err(failed)?;
		Ok(name)
	}

	async fn run_probe(&self, run: &RunId, base: &BaseImage) -> Result<Probed> {
		let architecture = base.architecture.unwrap_or(Architecture::Amd64);
		let name = self.create_idle(run, &base.image, architecture).await?;
		if let Err(error) = self.start(&name).await {
			return Ok(Err(error.to_string()));
		}
		let mut waiting =
			std::pin::pin!(self.docker.wait_container(&name, None::<WaitContainerOptions>));
		while let Some(Ok(_)) = waiting.next().await {}
		let state = self.inspect(run).await?.and_then(|container| container.state);
		let exit_code = state.and_then(|state| state.exit_code).unwrap_or_default();
		if exit_code != 0 {
			return Ok(Err(format!("exit code {exit_code}")));
		}
		let reading =
			self.cgroups.read(run).map_err(ExecutorError::io("read the figures of", "a probe"))?;
		let reading = reading.ok_or_else(|| {
			ExecutorError::Unsuitable(
				"the engine does not put containers below the cgroup asked for".into(),
			)
		})?;
		let monitored = self.cgroups.has_monitor(run);
		Ok(Ok(Probe { cpu_ns: reading.cpu_ns, monitored }))
	}
}

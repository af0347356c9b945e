// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The connection to the engine and what it says of itself.

use std::{future::Future, path::Path, time::Duration};

use bollard::{
	errors::Error,
	models::{SystemInfo, SystemInfoCgroupDriverEnum, SystemInfoCgroupVersionEnum, SystemVersion},
	Docker,
};
use modicum_primitives::Architecture;

use super::{
	seccomp, state::State, volume::StorageKind, DockerConfig, Labels, INSTANCE_LABEL, RUN_LABEL,
};
use crate::{
	cgroup::{Cgroups, Driver},
	error::{ExecutorError, Result},
	meter,
	run::RunId,
};

/// The longest that the engine may take for an answer: loading an image on a slow card takes long.
const TIMEOUT_SECS: u64 = 3600;
/// The longest that it may take to say who it is; Podman takes seconds on a busy machine.
const PING_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the engine is asked before a failure counts that may pass.
const ATTEMPTS: u32 = 10;
/// The first wait between; each further one is longer by as much.
const PAUSE: Duration = Duration::from_millis(50);
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// What an engine says of itself.
#[derive(Clone, Debug)]
pub(super) struct Facts {
	pub info: SystemInfo,
	pub version: SystemVersion,
}

impl Facts {
	/// Podman answers on a compatible socket.
	pub(super) fn is_podman(&self) -> bool {
		let components = self.version.components.iter().flatten();
		components.into_iter().any(|component| component.name.contains("Podman"))
	}

	/// Whether every archive of an image must have all of its layers, those that the engine has as well.
	pub(super) fn wants_whole_archives(&self) -> bool {
		self.is_podman() || self.has_containerd_images()
	}

	/// Whether images are kept by containerd.
	pub(super) fn has_containerd_images(&self) -> bool {
		let status = self.info.driver_status.iter().flatten().flatten();
		status.into_iter().any(|text| text.contains("io.containerd.snapshotter"))
	}

	/// Whether a runtime of this name is registered with the engine.
	pub(super) fn has_runtime(&self, name: &str) -> bool {
		let known = self.info.runtimes.as_ref().is_some_and(|known| known.contains_key(name));
		// Podman knows many by name that need not be there.
		known && (!self.is_podman() || is_installed(name))
	}

	/// What the engine claims to be.
	pub(super) fn architecture(&self) -> Option<Architecture> {
		architecture(self.info.architecture.as_deref()?)
	}

	/// Why no job may run here, if so. Without these controls a limit would be accepted and ignored.
	pub(super) fn unsuitable(&self) -> Vec<(&'static str, &'static str)> {
		let info = &self.info;
		let mut reasons = Vec::new();
		if info.memory_limit != Some(true) {
			reasons.push((
				"the engine ignores memory limits, because the kernel's memory cgroup is off",
				"add 'cgroup_enable=memory cgroup_memory=1' to the kernel's command line (on Raspberry Pi OS: in /boot/firmware/cmdline.txt) and restart",
			));
		}
		if info.pids_limit != Some(true) {
			reasons.push((
				"the engine ignores limits on processes, because the kernel's pids cgroup is off",
				"use a kernel with CONFIG_CGROUP_PIDS",
			));
		}
		if info.cpu_set != Some(true) {
			reasons.push((
				"the engine ignores CPU sets, because the kernel's cpuset cgroup is off",
				"use a kernel with CONFIG_CPUSETS",
			));
		}
		if info.os_type.as_deref().is_some_and(|os| os != "linux") {
			reasons.push(("the engine does not run Linux containers", "use an engine on Linux"));
		}
		reasons
	}
}

/// The market's name for an architecture as engines, kernels and images spell it.
pub(super) fn architecture(name: &str) -> Option<Architecture> {
	match name {
		"x86_64" | "amd64" => Some(Architecture::Amd64),
		"aarch64" | "arm64" => Some(Architecture::Arm64),
		"armv7l" | "armv8l" | "arm" => Some(Architecture::Armv7),
		_ => None,
	}
}

/// The executor behind its handle.
pub(super) struct Inner {
	pub docker: Docker,
	pub config: DockerConfig,
	pub facts: Facts,
	pub cgroups: Cgroups,
	pub state: State,
	pub storage: StorageKind,
	/// Why the processor cannot count, if so.
	pub no_counter: Option<String>,
	/// Held while the machine is tried out: that happens under one name.
	pub probing: tokio::sync::Mutex<()>,
}

impl Inner {
	pub(super) async fn connect(config: DockerConfig) -> Result<Self> {
		crate::run::check_name(&config.instance)?;
		let (docker, facts) = ask(&config).await?;
		let state = State::open(&config.state_folder)?;
		let mounts = std::fs::read_to_string("/proc/self/mounts")
			.map_err(ExecutorError::io("read", "/proc/self/mounts"))?;
		let unified = facts.info.cgroup_version == Some(SystemInfoCgroupVersionEnum::_2);
		let driver = match facts.info.cgroup_driver {
			Some(SystemInfoCgroupDriverEnum::SYSTEMD) => Driver::Systemd,
			_ => Driver::Cgroupfs,
		};
		let cgroups = Cgroups::detect(&mounts, unified, driver, &config.instance)
			.map_err(ExecutorError::Unsuitable)?;
		let root = cgroups.counter_root();
		let no_counter =
			tokio::task::spawn_blocking(move || meter::probe_hardware(root.as_deref()).err())
				.await
				.expect("probing does not panic; qed");
		let storage = config.storage.unwrap_or_else(default_storage);
		let probing = tokio::sync::Mutex::default();
		Ok(Self { docker, config, facts, cgroups, state, storage, no_counter, probing })
	}

	pub(super) async fn ping(&self) -> Result<()> {
		self.docker.ping().await.map(drop).map_err(ExecutorError::engine("answer"))
	}

	/// The system calls that a job may make, as the engine takes them: Docker the list itself, Podman a file's name.
	pub(super) fn seccomp(&self, architecture: Architecture) -> String {
		match self.facts.is_podman() {
			true => self.state.seccomp_file(architecture).to_string_lossy().into(),
			false => seccomp::profile(architecture),
		}
	}

	/// An error if no job may run on this machine.
	pub(super) fn check_suitable(&self) -> Result<()> {
		if let Some((reason, _)) = self.facts.unsuitable().first() {
			return Err(ExecutorError::Unsuitable((*reason).into()));
		}
		match self.config.runtime.as_deref() {
			Some(runtime) if !self.facts.has_runtime(runtime) => {
				Err(ExecutorError::Unsuitable(format!("the engine has no runtime '{runtime}'")))
			},
			_ => Ok(()),
		}
	}

	/// The parent cgroup of a run's container, made ready for the runtimes that do not do that themselves.
	pub(super) fn cgroup_parent(&self, run: &RunId) -> Result<String> {
		if self.config.runtime.is_some() {
			let failed = ExecutorError::io("prepare the cgroup of", run.as_str());
			self.cgroups.fill_cpu_sets(run).map_err(failed)?;
		}
		Ok(self.cgroups.parent(run))
	}

	/// The name of a run's container and of its volume.
	pub(super) fn object_name(&self, run: &RunId) -> String {
		format!("modicum-{}-{run}", self.config.instance)
	}

	pub(super) fn holder_name(&self, run: &RunId) -> String {
		format!("{}-holder", self.object_name(run))
	}

	/// The tag of a run's image. With a host name, or Podman would take it for one of a registry.
	pub(super) fn image_name(&self, run: &RunId) -> String {
		format!("localhost/modicum-{}:{run}", self.config.instance)
	}

	/// What marks everything of a run on the engine as this executor's.
	pub(super) fn labels(&self, run: &RunId) -> Labels {
		[(INSTANCE_LABEL, self.config.instance.as_str()), (RUN_LABEL, run.as_str())]
			.map(|(key, value)| (key.into(), value.into()))
			.into()
	}
}

/// On disk, if this process may make loop devices.
fn default_storage() -> StorageKind {
	if is_root() && Path::new("/dev/loop-control").exists() {
		StorageKind::Disk
	} else {
		StorageKind::Memory
	}
}

/// Whether a program is in one of the folders of the system's programs, which not every user's PATH has.
pub(super) fn is_installed(program: &str) -> bool {
	let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
	path.split(':').any(|folder| Path::new(folder).join(program).exists())
}

pub(super) fn is_root() -> bool {
	use std::os::unix::fs::MetadataExt;
	std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The socket from the configuration, from `DOCKER_HOST`, or the usual one.
pub(super) fn socket(config: &DockerConfig) -> Result<String> {
	if let Some(path) = &config.socket {
		return Ok(path.to_string_lossy().into_owned());
	}
	match std::env::var("DOCKER_HOST") {
		Ok(host) => match host.strip_prefix("unix://") {
			Some(path) => Ok(path.to_owned()),
			None => Err(ExecutorError::EngineNotLocal(host)),
		},
		Err(_) => Ok(DEFAULT_SOCKET.to_owned()),
	}
}

/// Connect, and ask the engine who it is.
pub(super) async fn ask(config: &DockerConfig) -> Result<(Docker, Facts)> {
	let socket = socket(config)?;
	let unreachable =
		|detail: String| ExecutorError::EngineUnreachable { socket: socket.clone(), detail };
	let docker = Docker::connect_with_unix(&socket, TIMEOUT_SECS, bollard::API_DEFAULT_VERSION)
		.map_err(|error| unreachable(error.to_string()))?;
	let asking = async {
		let docker = docker.negotiate_version().await?;
		let (info, version) = (docker.info().await?, docker.version().await?);
		Ok::<_, Error>((docker, Facts { info, version }))
	};
	match tokio::time::timeout(PING_TIMEOUT, asking).await {
		Ok(answer) => answer.map_err(|error| unreachable(error.to_string())),
		Err(_) => Err(unreachable(format!("no answer within {} s", PING_TIMEOUT.as_secs()))),
	}
}

/// Ask the engine again as long as its answer is an error that passes.
pub(super) async fn patiently<T, Asking: Future<Output = std::result::Result<T, Error>>>(
	passes: impl Fn(&Error) -> bool,
	ask: impl Fn() -> Asking,
) -> std::result::Result<T, Error> {
	for attempt in 1..ATTEMPTS {
		match ask().await {
			Err(error) if passes(&error) => tokio::time::sleep(PAUSE * attempt).await,
			answer => return answer,
		}
	}
	ask().await
}

/// Podman calls a container "stopped" between its end and its tidying, which is no state by Docker's interface.
pub(super) fn is_passing(error: &Error) -> bool {
	matches!(error, Error::JsonDataError { message, .. } if message.contains("`stopped`"))
}

/// An engine that removes an image while it lists them may answer with its own confusion, that a layer does not exist.
pub(super) fn is_confused(error: &Error) -> bool {
	matches!(error, Error::DockerResponseServerError { status_code: 500, .. })
}

/// Podman may take a layer for present and find it removed along with another image a moment later.
pub(super) fn is_overtaken(error: &Error) -> bool {
	matches!(error, Error::DockerResponseServerError { message, .. } if message.contains("layer not known"))
}

/// `None` if the engine does not have the object.
pub(super) fn absent_is_none<T>(
	result: std::result::Result<T, Error>,
) -> std::result::Result<Option<T>, Error> {
	match result {
		Ok(value) => Ok(Some(value)),
		Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
		Err(error) => Err(error),
	}
}

/// For removals: what is not there need not be removed, and what is going is on its way.
pub(super) fn absent_is_fine<T>(
	result: std::result::Result<T, Error>,
) -> std::result::Result<(), Error> {
	match result {
		Err(Error::DockerResponseServerError { status_code: 409, message })
			if message.contains("is already in progress") =>
		{
			Ok(())
		},
		other => absent_is_none(other).map(drop),
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	fn capable() -> SystemInfo {
		SystemInfo {
			memory_limit: Some(true),
			pids_limit: Some(true),
			cpu_set: Some(true),
			os_type: Some("linux".into()),
			..Default::default()
		}
	}

	#[test]
	fn a_host_without_the_memory_cgroup_is_refused_with_the_remedy() {
		let facts = |info| Facts { info, version: SystemVersion::default() };
		assert_eq!(facts(capable()).unsuitable(), []);
		for memory_limit in [Some(false), None] {
			let reasons = facts(SystemInfo { memory_limit, ..capable() }).unsuitable();
			assert_eq!(reasons.len(), 1);
			assert!(reasons[0].1.contains("cgroup_enable=memory"));
		}
		let bare = facts(SystemInfo { os_type: Some("windows".into()), ..Default::default() });
		assert_eq!(bare.unsuitable().len(), 4);
	}

	#[test]
	fn a_runtime_must_be_registered() {
		let runtimes = Some([("runc".to_owned(), Default::default())].into());
		let info = SystemInfo { runtimes, ..capable() };
		let facts = Facts { info, version: SystemVersion::default() };
		assert!(facts.has_runtime("runc") && !facts.has_runtime("runsc"));
		let silent = Facts { info: capable(), version: SystemVersion::default() };
		assert!(!silent.has_runtime("runc"));
	}

	#[test]
	fn the_spellings_of_architectures_are_known() {
		for (name, expected) in [
			("x86_64", Some(Architecture::Amd64)),
			("aarch64", Some(Architecture::Arm64)),
			("armv7l", Some(Architecture::Armv7)),
			("riscv64", None),
		] {
			assert_eq!(architecture(name), expected);
		}
	}
}

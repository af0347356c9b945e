// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The examination of a machine with an engine.

use std::{
	path::Path,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

use modicum_primitives::Meter;

use super::{
	engine::{is_installed, is_root, Inner},
	volume::StorageKind,
};
use crate::{
	doctor::DoctorReport,
	error::{ExecutorError, Result},
};

/// The oldest engines on which the isolation profile was tried.
const MIN_DOCKER: (u32, u32) = (20, 10);
const MIN_PODMAN: (u32, u32) = (4, 3);
/// What crun, Podman's usual runtime, says where the two versions of cgroups are mounted beside each other.
const HYBRID: &str = "hybrid mode";
/// Less free disk than this leaves no room for jobs, in bytes.
const MIN_FREE_BYTES: u64 = 2 << 30;
/// No clock shows an earlier time: 1 January 2025, in seconds since the Unix epoch.
const MIN_TIME_SECS: u64 = 1_735_689_600;
const TOOLS: [&str; 3] = ["mkfs.ext4", "debugfs", "losetup"];

/// The report where there is no executor to ask.
pub(super) fn failed(error: &ExecutorError) -> DoctorReport {
	let remedy = match error {
		ExecutorError::EngineUnreachable { .. } => {
			"install and start an engine (apt-get install docker.io), and let this user use it (usermod -aG docker USER, then log in again)"
		},
		ExecutorError::EngineNotLocal(_) => {
			"unset DOCKER_HOST, or name a socket of this machine: DOCKER_HOST=unix:///var/run/docker.sock"
		},
		ExecutorError::InstanceInUse(_) => "stop the other executor, or ask it",
		_ => "see the message",
	};
	let mut report = DoctorReport::default();
	report.refuse("engine", error.to_string(), remedy);
	report
}

impl Inner {
	pub(super) async fn doctor(&self, now: Option<SystemTime>) -> Result<DoctorReport> {
		let mut report = DoctorReport::default();
		self.examine_engine(&mut report);
		self.examine_isolation(&mut report);
		self.examine_storage(&mut report);
		self.examine_meters(&mut report)?;
		examine_clock(&mut report, now);
		if report.is_usable() {
			self.examine_bases(&mut report).await?;
		}
		Ok(report)
	}

	fn examine_engine(&self, report: &mut DoctorReport) {
		let version = self.facts.info.server_version.clone().unwrap_or_default();
		if self.facts.is_podman() {
			examine_version(report, "Podman", &version, MIN_PODMAN);
			report.advice(
				"podman",
				"experimental: each job's base is sent to the engine along with it",
				"use Docker, unless Podman is what there is (docs/executor.md, Podman)",
			);
		} else {
			examine_version(report, "Docker", &version, MIN_DOCKER);
		}
		if self.facts.has_containerd_images() {
			report.advice(
				"images",
				"the engine keeps images in containerd, with which jobs were not tried: each job's base is sent along with it",
				"set \"features\": {\"containerd-snapshotter\": false} in /etc/docker/daemon.json and restart the engine",
			);
		}
		let cgroups = match self.facts.info.cgroup_version {
			Some(version) => format!("version {version}"),
			None => "of an unknown version".into(),
		};
		let unsuitable = self.facts.unsuitable();
		if unsuitable.is_empty() {
			report.fine("cgroups", format!("{cgroups}, with limits on memory, processes and CPUs"));
		}
		for (reason, remedy) in unsuitable {
			report.refuse("cgroups", reason, remedy);
		}
		if self.facts.info.swap_limit != Some(true)
			&& Path::new("/proc/swaps").exists()
			&& has_swap()
		{
			report.advice(
				"swap",
				"the engine cannot limit swap, so a job can use swap beyond its memory",
				"add 'swapaccount=1' to the kernel's command line, or turn swap off",
			);
		}
	}

	fn examine_isolation(&self, report: &mut DoctorReport) {
		let options = self.facts.info.security_options.clone().unwrap_or_default();
		let has =
			|name: &str| options.iter().any(|option| option.contains(&format!("name={name}")));
		match has("seccomp") {
			true => report.fine("seccomp", "the engine filters system calls"),
			false => report.refuse(
				"seccomp",
				"the engine cannot filter system calls",
				"use a kernel and an engine with seccomp",
			),
		}
		match has("apparmor") {
			true => report.fine("apparmor", "the engine's profile applies to jobs"),
			false => report.advice(
				"apparmor",
				"not in use",
				"turn AppArmor on where the kernel has it: a second wall around jobs",
			),
		}
		match has("userns") || has("rootless") {
			true => report.fine("user namespaces", "a job's users are nobody on this machine"),
			// Not tried with it.
			false if self.facts.is_podman() => {},
			false => report.advice(
				"user namespaces",
				"not in use",
				"set \"userns-remap\": \"default\" in /etc/docker/daemon.json",
			),
		}
		if let Some(runtime) = &self.config.runtime {
			match self.facts.has_runtime(runtime) {
				true => report.fine("runtime", format!("{runtime} is registered")),
				false => report.refuse(
					"runtime",
					format!("the engine has no runtime '{runtime}'"),
					"register it in /etc/docker/daemon.json, or configure another",
				),
			}
		}
	}

	fn examine_storage(&self, report: &mut DoctorReport) {
		match self.storage {
			StorageKind::Disk if !is_root() => report.refuse(
				"storage",
				"output on disk is configured, and that needs root",
				"run the executor as root, or configure output in memory",
			),
			StorageKind::Disk => match missing_tools().as_slice() {
				[] => report.fine("storage", "jobs write to disk, within their limits"),
				missing => report.refuse(
					"storage",
					format!("{} is missing", missing.join(", ")),
					"apt-get install e2fsprogs mount",
				),
			},
			StorageKind::Memory => report.advice(
				"storage",
				"jobs write to memory, because the executor is not root or has no loop devices",
				"run the executor as root for jobs with large outputs",
			),
		}
		let folder = self.state.folder();
		match rustix::fs::statvfs(folder) {
			Ok(disk) => {
				let free = disk.f_bavail.saturating_mul(disk.f_frsize);
				let message = format!("{} MiB free in {}", free >> 20, folder.display());
				match free >= MIN_FREE_BYTES {
					true => report.fine("disk", message),
					false => {
						report.advice("disk", message, "make room: jobs' storage is reserved there")
					},
				}
			},
			Err(error) => report.refuse(
				"disk",
				format!("cannot ask for free space in {}: {error}", folder.display()),
				"check that the folder is on a local file system",
			),
		}
	}

	fn examine_meters(&self, report: &mut DoctorReport) -> Result<()> {
		match &self.no_counter {
			None => {
				report.meters.push(Meter::HardwareInstructions);
				report.fine("hardware-instructions", "the processor counts instructions");
			},
			Some(reason) => report.advice(
				"hardware-instructions",
				format!("not available: {reason}"),
				"none on a virtual machine without such a counter; else run as root on a kernel with CONFIG_CGROUP_PERF",
			),
		}
		match self.state.calibration()? {
			Some(calibration) => {
				report.meters.push(Meter::CpuTime);
				report.fine(
					"cpu-time",
					format!(
						"{} instructions/µs, {} ms to start a container",
						calibration.instructions_per_us,
						calibration.overhead_cpu_ns / 1_000_000
					),
				);
			},
			None => report.advice("cpu-time", "not calibrated", "run modicum provider calibrate"),
		}
		Ok(())
	}

	async fn examine_bases(&self, report: &mut DoctorReport) -> Result<()> {
		let tested = self.self_test().await?;
		if tested.is_empty() {
			report.advice(
				"bases",
				"no base image is installed, so no job can run",
				"make one with docker/bases/busybox.sh OUT.tar and install it: modicum provider base-layer install OUT.tar",
			);
		}
		for (architecture, probed) in tested {
			match probed {
				Ok(probe) if probe.monitored => report.refuse(
					"podman",
					"its monitor of a container (conmon) is charged to the job",
					"write cgroups = \"no-conmon\" under [containers] into /etc/containers/containers.conf and restart the service",
				),
				Ok(_) => {
					report.architectures.push(architecture);
					report.fine("architecture", format!("{architecture} was tried and runs"));
				},
				Err(why) => report.advice(
					"architecture",
					format!("a base for {architecture} is installed and does not run here: {why}"),
					match why.contains(HYBRID) {
						true => "start the service by podman --runtime runc system service",
						false => "remove that base image",
					},
				),
			}
		}
		Ok(())
	}
}

fn examine_version(report: &mut DoctorReport, name: &str, found: &str, oldest: (u32, u32)) {
	if parse_version(found).is_some_and(|found| found >= oldest) {
		report.fine("engine", format!("{name} {found}"));
	} else {
		let (major, minor) = oldest;
		report.refuse(
			"engine",
			format!("{name} {found} is too old"),
			format!("use version {major}.{minor} or newer"),
		);
	}
}

fn examine_clock(report: &mut DoctorReport, now: Option<SystemTime>) {
	let here = SystemTime::now();
	if here < UNIX_EPOCH + Duration::from_secs(MIN_TIME_SECS) {
		report.refuse(
			"clock",
			"the clock shows a time long past, as boards without a battery do after a start",
			"synchronise it: apt-get install systemd-timesyncd, then timedatectl set-ntp true",
		);
	} else if let Some(there) = now {
		report.check_clock(here, there);
	}
}

fn has_swap() -> bool {
	std::fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() > 1)
}

fn missing_tools() -> Vec<&'static str> {
	TOOLS.into_iter().filter(|tool| !is_installed(tool)).collect()
}

/// Major and minor of versions such as `20.10.24+dfsg1` and `29.0.1`.
fn parse_version(version: &str) -> Option<(u32, u32)> {
	let mut parts = version.split('.');
	Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn versions_are_compared_by_number() {
		assert_eq!(parse_version("20.10.24+dfsg1"), Some((20, 10)));
		assert!(parse_version("29.0.1") > Some(MIN_DOCKER));
		assert!(parse_version("19.03.8") < Some(MIN_DOCKER));
		assert_eq!(parse_version("unknown"), None);
	}

	#[test]
	fn an_absent_engine_is_a_finding_with_a_remedy() {
		let error = ExecutorError::EngineUnreachable { socket: "/s".into(), detail: "none".into() };
		let report = failed(&error);
		assert!(!report.is_usable());
		assert!(report.findings[0]
			.remedy
			.as_ref()
			.is_some_and(|remedy| remedy.contains("apt-get")));
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The isolation of a job, as the engine is told. What each line is for: `docs/executor.md`.

use std::{collections::HashMap, path::Path};

use super::{Labels, FIXED_FILES, LOG_BYTES, OUTPUT_PATH};
use bollard::models::{
	ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount,
	MountBindOptions, MountType, MountVolumeOptions, ResourcesUlimits, RestartPolicy,
	RestartPolicyNameEnum,
};

/// The most processes and threads of a job.
pub const MAX_PROCESSES: i64 = 512;
/// The most processes of all jobs together under Podman (`RLIMIT_NPROC`): it sets a limit for every container, by default
/// a number that it may not set itself where its own is lower. Half of what its service may have by default, and room for
/// thirty jobs with [`MAX_PROCESSES`] each.
const PODMAN_USER_PROCESSES: i64 = 16_384;
/// The most open files of one process of a job.
const MAX_OPEN_FILES: i64 = 4096;
/// User and group of every job: nobody.
pub(super) const USER_ID: u64 = 65_534;
const HOSTNAME: &str = "job";
const DOMAIN: &str = "modicum";
/// The environment that every job starts with; the descriptor's variables come on top.
const ENVIRONMENT: [(&str, &str); 7] = [
	("HOME", "/tmp"),
	("LANG", "C"),
	("LC_ALL", "C"),
	("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
	("PYTHONHASHSEED", "0"),
	("SOURCE_DATE_EPOCH", "0"),
	("TZ", "UTC"),
];

/// What of `/proc` and `/sys` tells about the host or lets it be asked, and message queues, which would be writable;
/// a job finds it empty. Given to the engine
/// it replaces the engine's own list, so that is part of it.
const MASKED_PATHS: &[&str] = &[
	"/dev/mqueue",
	"/proc/1/mountinfo",
	"/proc/acpi",
	"/proc/asound",
	"/proc/buddyinfo",
	"/proc/bus",
	"/proc/cgroups",
	"/proc/cmdline",
	"/proc/config.gz",
	"/proc/consoles",
	"/proc/cpuinfo",
	"/proc/crypto",
	"/proc/devices",
	"/proc/diskstats",
	"/proc/driver",
	"/proc/dynamic_debug",
	"/proc/execdomains",
	"/proc/fs",
	"/proc/interrupts",
	"/proc/iomem",
	"/proc/ioports",
	"/proc/irq",
	"/proc/kallsyms",
	"/proc/kcore",
	"/proc/key-users",
	"/proc/keys",
	"/proc/kmsg",
	"/proc/kpagecgroup",
	"/proc/kpagecount",
	"/proc/kpageflags",
	"/proc/latency_stats",
	"/proc/loadavg",
	"/proc/locks",
	"/proc/mdstat",
	"/proc/meminfo",
	"/proc/misc",
	"/proc/modules",
	"/proc/pagetypeinfo",
	"/proc/partitions",
	"/proc/pressure",
	"/proc/sched_debug",
	"/proc/schedstat",
	"/proc/scsi",
	"/proc/slabinfo",
	"/proc/softirqs",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys",
	"/proc/sysrq-trigger",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/tty",
	"/proc/uptime",
	"/proc/version",
	"/proc/version_signature",
	"/proc/vmallocinfo",
	"/proc/vmstat",
	"/proc/zoneinfo",
	"/sys",
];

/// What differs from container to container.
pub(crate) struct ContainerSpec<'a> {
	pub image: &'a str,
	pub command: &'a [String],
	pub environment: &'a [(String, String)],
	pub working_directory: &'a str,
	pub labels: &'a Labels,
	pub cgroup_parent: String,
	/// Memory limit in bytes.
	pub ram: u64,
	pub cpus: String,
	/// The volume that becomes [`OUTPUT_PATH`], if the container writes anything.
	pub output_volume: Option<&'a str>,
	/// The folder with [`FIXED_FILES`].
	pub fixed_files: &'a Path,
	/// The system calls allowed, as the engine takes them.
	pub seccomp: String,
	/// An engine runtime other than the default one.
	pub runtime: Option<&'a str>,
	/// Whether this is for Podman, to which some things must be said otherwise.
	pub podman: bool,
}

/// The whole request to create a container.
pub(crate) fn container(spec: &ContainerSpec<'_>) -> ContainerCreateBody {
	let mut environment: std::collections::BTreeMap<&str, &str> = ENVIRONMENT.into();
	environment
		.extend(spec.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
	ContainerCreateBody {
		image: Some(spec.image.into()),
		// The command replaces an entry point as well: what runs is what the descriptor says.
		entrypoint: Some(vec![spec.command[0].clone()]),
		cmd: Some(spec.command[1..].to_vec()),
		env: Some(environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
		working_dir: Some(spec.working_directory.into()),
		// An engine that is stopped asks nobody to come to an end: what a job makes of that is no result.
		stop_signal: Some("SIGKILL".into()),
		user: Some(format!("{USER_ID}:{USER_ID}")),
		hostname: Some(HOSTNAME.into()),
		domainname: Some(DOMAIN.into()),
		network_disabled: Some(true),
		tty: Some(false),
		open_stdin: Some(false),
		labels: Some(spec.labels.clone()),
		host_config: Some(host_config(spec)),
		..Default::default()
	}
}

fn host_config(spec: &ContainerSpec<'_>) -> HostConfig {
	let ram = i64::try_from(spec.ram).unwrap_or(i64::MAX);
	let limit = |name: &str, value: i64| ResourcesUlimits {
		name: Some(name.into()),
		soft: Some(value),
		hard: Some(value),
	};
	let mut ulimits = vec![limit("core", 0), limit("nofile", MAX_OPEN_FILES)];
	let mut security = vec!["no-new-privileges:true".into(), format!("seccomp={}", spec.seccomp)];
	// Scratch space: memory, charged to the job and gone with it.
	let scratch = format!("rw,nosuid,nodev,exec,mode=1777,size={}", spec.ram);
	let mut tmpfs = HashMap::from([("/tmp".to_owned(), scratch)]);
	if spec.podman {
		ulimits.push(limit("nproc", PODMAN_USER_PROCESSES));
		// It takes no list of masked paths, and makes more than the scratch space writable in a read-only root.
		security.push(format!("mask={}", MASKED_PATHS.join(":")));
		let nothing = || "ro,nosuid,nodev,noexec,size=4096".to_owned();
		tmpfs.extend(["/run", "/var/tmp"].map(|path| (path.to_owned(), nothing())));
	}
	let mut mounts: Vec<Mount> =
		FIXED_FILES.iter().map(|(name, _)| fixed_file(spec.fixed_files, name)).collect();
	mounts.extend(spec.output_volume.map(output_mount));
	HostConfig {
		// What it may use.
		memory: Some(ram),
		memory_swap: Some(ram),
		pids_limit: Some(MAX_PROCESSES),
		cpuset_cpus: Some(spec.cpus.clone()),
		cgroup_parent: Some(spec.cgroup_parent.clone()),
		ulimits: Some(ulimits),
		oom_score_adj: Some(1000),
		log_config: Some(HostConfigLogConfig {
			typ: Some("json-file".into()),
			config: Some(HashMap::from([
				("max-size".into(), LOG_BYTES.to_string()),
				("max-file".into(), "1".into()),
				// A job that prints faster than the engine writes must not be held up by that: lines are dropped.
				("mode".into(), "non-blocking".into()),
				("max-buffer-size".into(), "1m".into()),
			])),
		}),
		// What it may do.
		cap_drop: Some(vec!["ALL".into()]),
		security_opt: Some(security),
		privileged: Some(false),
		// What it sees.
		network_mode: Some("none".into()),
		ipc_mode: Some("none".into()),
		cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
		readonly_rootfs: Some(true),
		masked_paths: Some(MASKED_PATHS.iter().map(|path| (*path).into()).collect()),
		mounts: Some(mounts),
		tmpfs: Some(tmpfs),
		// What becomes of it: its remains are evaluated first.
		auto_remove: Some(false),
		restart_policy: Some(RestartPolicy {
			name: Some(RestartPolicyNameEnum::NO),
			maximum_retry_count: None,
		}),
		init: Some(false),
		runtime: spec.runtime.map(Into::into),
		..Default::default()
	}
}

fn fixed_file(folder: &Path, name: &str) -> Mount {
	Mount {
		typ: Some(MountType::BIND),
		source: Some(folder.join(name).to_string_lossy().into_owned()),
		target: Some(format!("/etc/{name}")),
		read_only: Some(true),
		bind_options: Some(MountBindOptions { non_recursive: Some(true), ..Default::default() }),
		..Default::default()
	}
}

/// The output: nothing of the image is copied into it.
pub(crate) fn output_mount(volume: &str) -> Mount {
	Mount {
		typ: Some(MountType::VOLUME),
		source: Some(volume.into()),
		target: Some(OUTPUT_PATH.into()),
		read_only: Some(false),
		volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..Default::default() }),
		..Default::default()
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	fn example() -> ContainerCreateBody {
		container(&ContainerSpec {
			image: "localhost/modicum:run",
			command: &["/bin/job".into(), "x".into()],
			environment: &[("TZ".into(), "CET".into()), ("KEY".into(), "value".into())],
			working_directory: "/out",
			labels: &Labels::new(),
			cgroup_parent: "/modicum/p1/m42".into(),
			ram: 64 << 20,
			cpus: "1".into(),
			output_volume: Some("volume"),
			fixed_files: Path::new("/state/fixed"),
			seccomp: "{}".into(),
			runtime: None,
			podman: false,
		})
	}

	#[test]
	fn a_job_gets_no_more_than_it_should() {
		let body = example();
		let host = body.host_config.unwrap();
		assert_eq!(body.user.as_deref(), Some("65534:65534"));
		assert_eq!(host.memory, host.memory_swap);
		assert_eq!(host.privileged, Some(false));
		assert_eq!(host.cap_add, None);
		assert_eq!(host.devices, None);
		assert_eq!(host.binds, None);
		assert_eq!(host.network_mode.as_deref(), Some("none"));
		assert_eq!(host.readonly_rootfs, Some(true));
		let writable: Vec<_> = host
			.mounts
			.unwrap()
			.into_iter()
			.filter(|mount| mount.read_only != Some(true))
			.collect();
		assert_eq!(writable, [output_mount("volume")]);
	}

	#[test]
	fn the_descriptors_variables_come_on_top_of_the_fixed_ones() {
		let environment = example().env.unwrap();
		assert!(
			environment.contains(&"TZ=CET".into()) && environment.contains(&"KEY=value".into())
		);
		assert!(
			environment.contains(&"LC_ALL=C".into()) && !environment.contains(&"TZ=UTC".into())
		);
	}

	#[test]
	fn the_command_is_the_descriptors_alone() {
		let body = example();
		assert_eq!(body.entrypoint, Some(vec!["/bin/job".into()]));
		assert_eq!(body.cmd, Some(vec!["x".into()]));
	}
}

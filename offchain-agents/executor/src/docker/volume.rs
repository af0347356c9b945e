// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The one place that a job may write to, with a size that the kernel enforces.

use std::{collections::HashMap, fs::File, os::unix::ffi::OsStrExt, path::Path};

use bollard::{
	models::{ContainerCreateBody, VolumeCreateRequest},
	query_parameters::{
		CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
	},
};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::{
	engine::{absent_is_fine, Inner},
	profile::{self, ContainerSpec},
	state::RunRecord,
};
use crate::{
	error::{ExecutorError, Result},
	output::{BLOCK_BYTES, MAX_OUTPUT_ENTRIES},
	run::RunId,
};

/// What a file system takes for itself, on top of its inodes, in bytes.
const FILE_SYSTEM_BYTES: u64 = 4 << 20;
/// Bytes of an inode in the file systems made here.
const INODE_BYTES: u64 = 256;
/// Inodes beyond one for each entry: the root folder's and the file system's own.
const SPARE_INODES: u64 = 64;
/// Memory of the process that keeps a volume in memory alive, in bytes.
const HOLDER_RAM_BYTES: u64 = 16 << 20;

/// Where jobs' output lies while they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageKind {
	/// In a file of the state folder with a file system of its own. Needs root.
	Disk,
	/// In memory, kept by a second container. For small outputs where the executor is not root. The memory limit
	/// then covers RAM and output together.
	Memory,
}

/// The size of the file system for a job that may store `limit` bytes: always more than the limit, so that a job
/// that meets the end of the disk has stored more than allowed by the rule that counts.
fn file_system_bytes(limit: u64) -> u64 {
	let size = limit + limit / 32 + inodes(limit) * INODE_BYTES + FILE_SYSTEM_BYTES;
	size.next_multiple_of(BLOCK_BYTES)
}

/// The inodes of that file system: a few more than there may be entries.
fn inodes(limit: u64) -> u64 {
	(limit / BLOCK_BYTES).min(MAX_OUTPUT_ENTRIES) + SPARE_INODES
}

impl Inner {
	/// Reserve a run's storage and make it a volume of the engine.
	pub(super) async fn create_output(&self, record: &RunRecord) -> Result<()> {
		let options: HashMap<String, String> = match record.storage {
			StorageKind::Disk => {
				let device = self.create_file_system(record).await?;
				// Inode tables are zeros already, being in a new file.
				let options = "nosuid,nodev,noinit_itable";
				[("type", "ext4"), ("device", &device), ("o", options)].map(owned).into()
			},
			StorageKind::Memory => {
				let limit = record.descriptor.limits.storage;
				let size = limit.next_multiple_of(BLOCK_BYTES) + BLOCK_BYTES;
				// In pages: Podman takes a size for a quota on disk.
				let pages = size.div_ceil(page_bytes()?);
				let inodes = inodes(limit);
				let options = format!(
					"nr_blocks={pages},nr_inodes={inodes},uid=65534,gid=65534,mode=0755,nosuid,nodev"
				);
				[("type", "tmpfs"), ("device", "tmpfs"), ("o", &options)].map(owned).into()
			},
		};
		let request = VolumeCreateRequest {
			name: Some(self.object_name(&record.run)),
			driver: Some("local".into()),
			driver_opts: Some(options),
			labels: Some(self.labels(&record.run)),
			..Default::default()
		};
		self.docker
			.create_volume(request)
			.await
			.map_err(ExecutorError::engine("create a volume"))?;
		if self.has_holder(record.storage) {
			self.start_holder(record).await?;
		}
		Ok(())
	}

	/// An empty file system in a file of its own, as a loop device.
	async fn create_file_system(&self, record: &RunRecord) -> Result<String> {
		let path = self.state.run_folder(&record.run).join("output.img");
		let limit = record.descriptor.limits.storage;
		reserve(&path, file_system_bytes(limit))?;
		let inodes = inodes(limit).to_string();
		let image = path.to_string_lossy();
		tool(
			"mkfs.ext4",
			&[
				"-q",
				"-F",
				"-b",
				"4096",
				"-m",
				"0",
				"-N",
				&inodes,
				"-I",
				"256",
				"-O",
				"^has_journal,^resize_inode",
				"-E",
				"nodiscard,lazy_itable_init=1,root_owner=65534:65534",
				&image,
			],
		)
		.await?;
		// Nobody's files will ever be found again here, and a result must not have a folder that no job made.
		tool("debugfs", &["-w", "-R", "rmdir lost+found", &image]).await?;
		tool("losetup", &["--find", "--show", "--nooverlap", &image]).await
	}

	/// Whether a run's output is kept by a container that does nothing but keep the volume mounted: a volume in memory is
	/// gone with its last mount, and Podman shows no volume that is not mounted.
	pub(super) fn has_holder(&self, storage: StorageKind) -> bool {
		storage == StorageKind::Memory || self.facts.is_podman()
	}

	async fn start_holder(&self, record: &RunRecord) -> Result<()> {
		let volume = self.object_name(&record.run);
		let name = self.holder_name(&record.run);
		let body: ContainerCreateBody = profile::container(&ContainerSpec {
			image: &self.image_name(&record.run),
			seccomp: self.seccomp(record.descriptor.architecture),
			command: &["/bin/sleep".into(), "2147483647".into()],
			environment: &[],
			working_directory: "/",
			labels: &self.labels(&record.run),
			// Not the job's: what the holder uses is not the job's doing.
			cgroup_parent: self.cgroups.parent(&record.run.holder()),
			ram: HOLDER_RAM_BYTES,
			cpus: "0".into(),
			output_volume: Some(&volume),
			fixed_files: &self.state.fixed_files(),
			runtime: None,
			podman: self.facts.is_podman(),
		});
		let options = CreateContainerOptionsBuilder::default().name(&name).build();
		let failed = "start the container that keeps the output (it needs /bin/sleep in the base)";
		self.docker
			.create_container(Some(options), body)
			.await
			.map_err(ExecutorError::engine(failed))?;
		self.start(&name).await.map_err(ExecutorError::engine(failed))
	}

	/// Remove a run's storage: holder, volume, loop device. Nothing fails if it is not there.
	pub(super) async fn remove_output(&self, run: &RunId) -> Result<()> {
		let force = RemoveContainerOptionsBuilder::default().force(true).build();
		absent_is_fine(self.docker.remove_container(&self.holder_name(run), Some(force)).await)
			.map_err(ExecutorError::engine("remove a container"))?;
		let force = RemoveVolumeOptionsBuilder::default().force(true).build();
		absent_is_fine(self.docker.remove_volume(&self.object_name(run), Some(force)).await)
			.map_err(ExecutorError::engine("remove a volume"))?;
		for device in loop_devices(&self.state.run_folder(run).join("output.img")) {
			tool("losetup", &["--detach", &device]).await?;
		}
		Ok(())
	}
}

/// The kernel's page size, which is the block size of file systems that have no disk.
fn page_bytes() -> Result<u64> {
	const PLACE: &str = "/proc";
	let statistics = rustix::fs::statvfs(PLACE);
	let statistics =
		statistics.map_err(|error| ExecutorError::io("examine", PLACE)(error.into()))?;
	Ok(statistics.f_bsize.max(BLOCK_BYTES))
}

fn owned((key, value): (&str, &str)) -> (String, String) {
	(key.into(), value.into())
}

/// The loop devices of the file `image`, which may be gone. Asked of the kernel, since `losetup --associated` overlooks
/// some while others come and go.
fn loop_devices(image: &Path) -> Vec<String> {
	let entries = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
	let devices = entries.filter_map(|entry| {
		let file = std::fs::read(entry.path().join("loop/backing_file")).ok()?;
		let file = file.strip_suffix(b"\n").unwrap_or(&file);
		let file = file.strip_suffix(b" (deleted)").unwrap_or(file);
		let name = entry.file_name().into_string().ok()?;
		(file == image.as_os_str().as_bytes()).then(|| format!("/dev/{name}"))
	});
	devices.collect()
}

/// A file of `size` bytes whose space is really there: a job must not fail because the disk fills up meanwhile.
fn reserve(path: &Path, size: u64) -> Result<()> {
	let file = File::create(path).map_err(ExecutorError::io("create", path))?;
	rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size)
		.map_err(|error| ExecutorError::io("reserve the job's storage in", path)(error.into()))
}

/// Run a system tool; what it printed, trimmed.
async fn tool(name: &'static str, arguments: &[&str]) -> Result<String> {
	let failed = |detail: String| ExecutorError::Tool { tool: name, detail };
	// Not every user's PATH has the folders of the system's tools.
	let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
	let output = Command::new(name)
		.args(arguments)
		.env("PATH", path)
		.output()
		.await
		.map_err(|error| failed(error.to_string()))?;
	if !output.status.success() {
		return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
	}
	Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn there_is_always_room_for_more_than_the_limit() {
		for limit in [BLOCK_BYTES, 1 << 20, 1 << 30, 1 << 44] {
			assert!(file_system_bytes(limit) - inodes(limit) * INODE_BYTES > limit);
			assert!(inodes(limit) > (limit / BLOCK_BYTES).min(MAX_OUTPUT_ENTRIES));
		}
	}
}

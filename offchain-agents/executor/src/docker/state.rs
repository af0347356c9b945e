// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an executor keeps on disk, so that it finds its runs after a crash.

use std::{
	fs::{self, File},
	io,
	path::{Path, PathBuf},
	time::{SystemTime, UNIX_EPOCH},
};

use modicum_primitives::Architecture;
use serde::{de::DeserializeOwned, Deserialize, Serialize};

use super::{seccomp, volume::StorageKind, FIXED_FILES};
use crate::{
	descriptor::JobDescriptor,
	error::{ExecutorError, Result},
	meter::Calibration,
	run::{RunId, RunReport},
};

/// What is known of a run from its preparation on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunRecord {
	pub run: RunId,
	pub descriptor: JobDescriptor,
	pub storage: StorageKind,
	/// Whether everything is there that [`super::DockerExecutor`] needs to start the job.
	pub prepared: bool,
	/// When the job was started, in milliseconds since the Unix epoch.
	pub started_at: Option<u64>,
}

/// The executor's folder:
/// `lock`, `calibration.json`, `fixed/` (files that every job sees, and lists of system calls), `runs/<run>/`.
pub(super) struct State {
	folder: PathBuf,
	/// Held as long as the executor lives.
	_lock: File,
}

impl State {
	pub(super) fn open(folder: &Path) -> Result<Self> {
		for folder in [folder.join("runs"), folder.join("fixed")] {
			fs::create_dir_all(&folder).map_err(ExecutorError::io("create", &folder))?;
		}
		let folder = folder.canonicalize().map_err(ExecutorError::io("find", folder))?;
		let path = folder.join("lock");
		let lock = File::create(&path).map_err(ExecutorError::io("create", &path))?;
		match lock.try_lock() {
			Ok(()) => {},
			Err(fs::TryLockError::WouldBlock) => return Err(ExecutorError::InstanceInUse(folder)),
			Err(fs::TryLockError::Error(error)) => {
				return Err(ExecutorError::io("lock", path)(error))
			},
		}
		let state = Self { folder, _lock: lock };
		for (name, content) in FIXED_FILES {
			write(&state.fixed_files().join(name), content.as_bytes())?;
		}
		for architecture in [Architecture::Amd64, Architecture::Arm64, Architecture::Armv7] {
			write(&state.seccomp_file(architecture), seccomp::profile(architecture).as_bytes())?;
		}
		Ok(state)
	}

	pub(super) fn folder(&self) -> &Path {
		&self.folder
	}

	pub(super) fn fixed_files(&self) -> PathBuf {
		self.folder.join("fixed")
	}

	/// The list of system calls, for engines that want it as a file.
	pub(super) fn seccomp_file(&self, architecture: Architecture) -> PathBuf {
		self.fixed_files().join(format!("seccomp-{architecture}.json"))
	}

	pub(super) fn run_folder(&self, run: &RunId) -> PathBuf {
		self.folder.join("runs").join(run.as_str())
	}

	pub(super) fn calibration(&self) -> Result<Option<Calibration>> {
		read_json(&self.folder.join("calibration.json"))
	}

	pub(super) fn set_calibration(&self, calibration: &Calibration) -> Result<()> {
		write_json(&self.folder.join("calibration.json"), calibration)
	}

	pub(super) fn record(&self, run: &RunId) -> Result<Option<RunRecord>> {
		read_json(&self.run_folder(run).join("run.json"))
	}

	pub(super) fn set_record(&self, record: &RunRecord) -> Result<()> {
		let folder = self.run_folder(&record.run);
		fs::create_dir_all(&folder).map_err(ExecutorError::io("create", &folder))?;
		write_json(&folder.join("run.json"), record)
	}

	pub(super) fn report(&self, run: &RunId) -> Result<Option<RunReport>> {
		read_json(&self.run_folder(run).join("report.json"))
	}

	pub(super) fn set_report(&self, report: &RunReport) -> Result<()> {
		write_json(&self.run_folder(&report.run).join("report.json"), report)
	}

	pub(super) fn set_cancelled(&self, run: &RunId) -> Result<()> {
		write(&self.run_folder(run).join("cancelled"), b"")
	}

	pub(super) fn is_cancelled(&self, run: &RunId) -> bool {
		self.run_folder(run).join("cancelled").exists()
	}

	/// The runs that have a folder, and how long it has been there.
	pub(super) fn runs(&self) -> Result<Vec<RunId>> {
		let folder = self.folder.join("runs");
		let entries = fs::read_dir(&folder).map_err(ExecutorError::io("list", &folder))?;
		Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
	}

	/// When a run's folder was last changed.
	pub(super) fn changed_at(&self, run: &RunId) -> Option<SystemTime> {
		fs::metadata(self.run_folder(run)).ok()?.modified().ok()
	}

	pub(super) fn remove(&self, run: &RunId) -> Result<()> {
		let folder = self.run_folder(run);
		match fs::remove_dir_all(&folder) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => {
				Err(ExecutorError::io("remove", folder)(error))
			},
			_ => Ok(()),
		}
	}
}

/// Milliseconds since the Unix epoch.
pub(super) fn now_ms() -> u64 {
	SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Write a file so that a crash leaves the old one or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
	let part = path.with_extension("part");
	fs::write(&part, bytes).map_err(ExecutorError::io("write", &part))?;
	fs::rename(&part, path).map_err(ExecutorError::io("replace", path))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
	write(path, &serde_json::to_vec_pretty(value).expect("all keys are strings; qed"))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
	let bytes = match fs::read(path) {
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
		bytes => bytes.map_err(ExecutorError::io("read", path))?,
	};
	serde_json::from_slice(&bytes)
		.map(Some)
		.map_err(|error| ExecutorError::io("understand", path)(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::descriptor::tests::example;

	#[test]
	fn what_is_written_is_found_after_a_restart() {
		let folder = tempfile::tempdir().unwrap();
		let run: RunId = "m42".parse().unwrap();
		let record = RunRecord {
			run: run.clone(),
			descriptor: example(),
			storage: StorageKind::Disk,
			prepared: true,
			started_at: Some(7),
		};
		let state = State::open(folder.path()).unwrap();
		assert!(state.record(&run).unwrap().is_none());
		state.set_record(&record).unwrap();
		state.set_cancelled(&run).unwrap();
		drop(state);
		let state = State::open(folder.path()).unwrap();
		assert_eq!(state.runs().unwrap(), std::slice::from_ref(&run));
		assert_eq!(state.record(&run).unwrap().unwrap().descriptor, record.descriptor);
		assert!(state.is_cancelled(&run));
		state.remove(&run).unwrap();
		state.remove(&run).unwrap();
		assert_eq!(state.runs().unwrap(), []);
	}

	#[test]
	fn a_folder_has_one_user() {
		let folder = tempfile::tempdir().unwrap();
		let _state = State::open(folder.path()).unwrap();
		assert!(matches!(State::open(folder.path()), Err(ExecutorError::InstanceInUse(_))));
	}

	#[test]
	fn a_damaged_file_is_named() {
		let folder = tempfile::tempdir().unwrap();
		let state = State::open(folder.path()).unwrap();
		fs::write(folder.path().join("calibration.json"), "{").unwrap();
		let error = state.calibration().unwrap_err().to_string();
		assert!(error.contains("calibration.json"), "{error}");
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Whether a job's working directory is there. Engines differ: Docker makes a missing one, Podman does not start the
//! container; and neither says in a way of its own that the job is at fault.

use bollard::{
	container::PathStatResponse,
	query_parameters::{ContainerArchiveInfoOptionsBuilder, RemoveContainerOptionsBuilder},
};

use super::{
	engine::{absent_is_fine, absent_is_none, Inner},
	state::RunRecord,
	OUTPUT_PATH,
};
use crate::error::{ExecutorError, JobFault, Result};

/// Folders that every job has.
const ALWAYS_THERE: [&str; 3] = ["/", OUTPUT_PATH, "/tmp"];
/// The bit of a directory in modes as the engine, a Go program, gives them.
const GO_MODE_DIRECTORY: u32 = 1 << 31;

impl Inner {
	/// Refuse a job whose working directory is missing or no directory. The run's image must be loaded.
	pub(super) async fn check_working_directory(&self, record: &RunRecord) -> Result<()> {
		let path = record.descriptor.working_directory.as_str();
		if ALWAYS_THERE.contains(&path) {
			return Ok(());
		}
		// It never starts, and is only looked into.
		let image = self.image_name(&record.run);
		let name = self.create_idle(&record.run, &image, record.descriptor.architecture).await?;
		let fault = self.find_folder(&name, path).await;
		let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
		absent_is_fine(self.docker.remove_container(&name, Some(force)).await).map_err(looking())?;
		match fault? {
			Some(why) => Err(JobFault::WorkingDirectory { path: path.into(), why }.into()),
			None => Ok(()),
		}
	}

	/// What is wrong with the folder `path` of a container, if anything. Part by part from the root, since engines answer
	/// with an error of their own if something above is no folder.
	async fn find_folder(&self, container: &str, path: &str) -> Result<Option<&'static str>> {
		let mut folder = String::new();
		for part in path.split('/').filter(|part| !part.is_empty()) {
			folder = format!("{folder}/{part}");
			let mut found = self.look(container, &folder).await?;
			// The engine says where a symbolic link leads in the end.
			if let Some(link) = found.as_ref().filter(|found| !found.link_target.is_empty()) {
				folder.clone_from(&link.link_target);
				found = self.look(container, &folder).await?;
			}
			match found {
				Some(found) if found.file_mode & GO_MODE_DIRECTORY != 0 => {},
				Some(_) => return Ok(Some("is not a directory")),
				None => return Ok(Some("does not exist")),
			}
		}
		Ok(None)
	}

	async fn look(&self, container: &str, path: &str) -> Result<Option<PathStatResponse>> {
		let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
		let found = self.docker.get_container_archive_info(container, Some(options)).await;
		absent_is_none(found).map_err(looking())
	}
}

fn looking() -> impl FnOnce(bollard::errors::Error) -> ExecutorError {
	ExecutorError::engine("look for the working directory")
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The engine's images, whoever made them, for people who have a job as an image.

use std::{fs::File, io, path::Path};

use futures::TryStreamExt;
use modicum_primitives::Architecture;

use super::{
	engine::{absent_is_none, architecture, Inner},
	pipe::{ChannelReader, PIECES},
	DockerExecutor,
};
use crate::{
	digest::Digest,
	error::{ExecutorError, Result},
};

/// An image of the engine and how it wants to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalImage {
	/// The engine's identifier of the image.
	pub image: String,
	/// What it is made for, if that is an architecture of the market.
	pub architecture: Option<Architecture>,
	/// The diff ids of its layers, lowest first.
	pub layers: Vec<Digest>,
	/// Its ENTRYPOINT and CMD in one. Empty if it has neither.
	pub command: Vec<String>,
	/// Its variables, as `NAME=VALUE`.
	pub environment: Vec<String>,
	/// Its WORKDIR, if it has one.
	pub working_directory: Option<String>,
}

impl DockerExecutor {
	/// The image that `name`, a tag or an identifier, names on the engine; `None` if there is none.
	pub async fn find_image(&self, name: &str) -> Result<Option<LocalImage>> {
		let inspected = self.inner.docker.inspect_image(name).await;
		let found = absent_is_none(inspected).map_err(ExecutorError::engine("inspect an image"))?;
		let Some(found) = found else { return Ok(None) };
		let layers = found.root_fs.and_then(|root| root.layers).unwrap_or_default();
		let config = found.config.unwrap_or_default();
		let parts = [config.entrypoint, config.cmd];
		Ok(Some(LocalImage {
			image: found.id.unwrap_or_else(|| name.into()),
			architecture: found.architecture.as_deref().and_then(architecture),
			layers: layers.iter().filter_map(|layer| layer.parse().ok()).collect(),
			command: parts.into_iter().flatten().flatten().collect(),
			environment: config.env.unwrap_or_default(),
			working_directory: config.working_dir.filter(|folder| !folder.is_empty()),
		}))
	}

	/// Write the image to the file `path`, as `docker save` does: all of its layers and a `manifest.json`.
	pub async fn export_image(&self, image: &LocalImage, path: &Path) -> Result<()> {
		self.inner.save_image(&image.image, path).await
	}
}

impl Inner {
	/// Write the image with the identifier `image` to the file `path`.
	pub(super) async fn save_image(&self, image: &str, path: &Path) -> Result<()> {
		let mut file = File::create(path).map_err(ExecutorError::io("create", path))?;
		let (sender, receiver) = tokio::sync::mpsc::channel(PIECES);
		let writing = tokio::task::spawn_blocking(move || {
			io::copy(&mut ChannelReader::new(receiver), &mut file).map(drop)
		});
		let mut pieces = std::pin::pin!(self.docker.export_image(image));
		let sent = async {
			while let Some(piece) = pieces.try_next().await? {
				// The writer leaves only with an error of its own, which is the cause.
				if sender.send(Ok(piece)).await.is_err() {
					break;
				}
			}
			Ok(())
		}
		.await;
		drop(sender);
		let written = writing.await.expect("writing a file does not panic; qed");
		written.map_err(ExecutorError::io("write", path))?;
		sent.map_err(ExecutorError::engine("export an image"))
	}
}

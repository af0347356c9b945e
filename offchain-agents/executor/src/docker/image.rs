// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From a base on the engine and a job's layers to an image, moving only what the engine lacks.

use std::{
	fs::File,
	io::{self, Write},
	path::{Path, PathBuf},
	time::Duration,
};

use bollard::{
	models::ImageInspect,
	query_parameters::{ImportImageOptions, ListImagesOptionsBuilder},
};
use futures::TryStreamExt;
use modicum_primitives::Architecture;
use serde_json::json;
use tokio_stream::wrappers::ReceiverStream;

use super::{
	engine::Inner,
	pipe::{ChannelWriter, PIECES},
	BASE_LABEL,
};
use crate::{
	descriptor::{Job, JobDescriptor},
	digest::{chain_id, Digest},
	error::{ExecutorError, JobFault, Result},
	run::RunId,
};

/// How often the engine is asked for its images before its failure counts.
const LIST_ATTEMPTS: u32 = 5;
/// The first wait between; each further one is longer by as much.
const LIST_PAUSE: Duration = Duration::from_millis(100);

/// A base image on the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseImage {
	/// What jobs name it by.
	pub chain_id: Digest,
	/// The engine's identifier of the image.
	pub image: String,
	/// Its tags, for people.
	pub tags: Vec<String>,
	/// What it is made for, if that is an architecture of the market.
	pub architecture: Option<Architecture>,
	/// Its layers, lowest first.
	pub(super) diff_ids: Vec<Digest>,
}

impl Inner {
	/// The image with the ChainID `base`. Any image will do, whatever its name: what is mounted is the same.
	pub(super) async fn find_base(&self, base: Digest) -> Result<BaseImage> {
		let found = self.images(None).await?.into_iter().find(|image| image.chain_id == base);
		Ok(found.ok_or(JobFault::BaseMissing(base))?)
	}

	/// The base images that were installed as such: with the label that the scripts in docker/bases set.
	pub(super) async fn bases(&self) -> Result<Vec<BaseImage>> {
		self.images(Some(BASE_LABEL)).await
	}

	/// The images on the engine. One that removes an image while it lists them may answer with its own confusion,
	/// that a layer does not exist, so it is asked again.
	async fn images(&self, label: Option<&str>) -> Result<Vec<BaseImage>> {
		let mut attempt = 1;
		loop {
			match self.images_once(label).await {
				Err(bollard::errors::Error::DockerResponseServerError {
					status_code: 500, ..
				}) if attempt < LIST_ATTEMPTS => {
					tokio::time::sleep(LIST_PAUSE * attempt).await;
					attempt += 1;
				},
				images => return images.map_err(ExecutorError::engine("list images")),
			}
		}
	}

	async fn images_once(
		&self,
		label: Option<&str>,
	) -> std::result::Result<Vec<BaseImage>, bollard::errors::Error> {
		let mut options = ListImagesOptionsBuilder::default();
		if let Some(label) = label {
			options = options.filters(&[("label", vec![label])].into());
		}
		let mut images = Vec::new();
		for summary in self.docker.list_images(Some(options.build())).await? {
			let inspected = self.docker.inspect_image(&summary.id).await;
			match super::engine::absent_is_none(inspected)? {
				Some(image) => images.extend(base_image(image)),
				// Removed meanwhile.
				None => continue,
			}
		}
		Ok(images)
	}

	/// Load the job's layers on top of its base and name the image after the run.
	pub(super) async fn load_image(&self, run: &RunId, job: &Job, base: &BaseImage) -> Result<()> {
		let config = image_config(&job.descriptor, base, &self.labels(run));
		let manifest_entry = |layers: &[String]| {
			json!([{
				"Config": format!("{}.json", Digest::of(&config).to_hex()),
				"RepoTags": [self.image_name(run)],
				"Layers": layers,
			}])
			.to_string()
			.into_bytes()
		};
		// The base's layers are named and left out: the engine has them.
		let mut layers: Vec<String> =
			base.diff_ids.iter().map(|diff_id| format!("{}.tar", diff_id.to_hex())).collect();
		let mut files = vec![("execution.tar".to_owned(), job.execution_layer.clone())];
		files.extend(job.data_layer.iter().map(|path| ("data.tar".to_owned(), path.clone())));
		layers.extend(files.iter().map(|(name, _)| name.clone()));
		let manifest = manifest_entry(&layers);

		let path = job.execution_layer.clone();
		self.load(path, move |writer| write_archive(writer, &config, &manifest, &files)).await
	}

	/// Load the image archive `path`.
	pub(super) async fn install_base(&self, path: &Path) -> Result<()> {
		let mut file = File::open(path).map_err(ExecutorError::io("open", path))?;
		self.load(path.into(), move |writer| {
			io::copy(&mut file, writer)?;
			writer.flush()
		})
		.await
	}

	/// Have the engine load the archive that `write` writes from the file `path`.
	async fn load(
		&self,
		path: PathBuf,
		write: impl FnOnce(&mut ChannelWriter) -> io::Result<()> + Send + 'static,
	) -> Result<()> {
		let (sender, receiver) = tokio::sync::mpsc::channel(PIECES);
		let writing = tokio::task::spawn_blocking(move || {
			let result = write(&mut ChannelWriter::new(sender.clone()));
			if let Err(error) = &result {
				// Without this the engine would take a cut archive for a whole one. It may have left, though.
				let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
			}
			result
		});
		let loading = self
			.docker
			.import_image_stream(ImportImageOptions::default(), ReceiverStream::new(receiver), None)
			.try_for_each(|_| async { Ok(()) })
			.await;
		let written = writing.await.expect("writing an archive does not panic; qed");
		// An engine that refuses an image stops reading: its reason is the cause.
		loading.map_err(ExecutorError::engine("load an image"))?;
		written.map_err(ExecutorError::io("read", path))
	}
}

fn base_image(image: ImageInspect) -> Option<BaseImage> {
	let diff_ids: Option<Vec<Digest>> =
		image.root_fs?.layers?.iter().map(|layer| layer.parse().ok()).collect();
	let diff_ids = diff_ids?;
	Some(BaseImage {
		chain_id: chain_id(&diff_ids)?,
		image: image.id?,
		tags: image.repo_tags.unwrap_or_default(),
		architecture: image.architecture.as_deref().and_then(super::engine::architecture),
		diff_ids,
	})
}

/// The image's configuration. It says nothing of how to run: that is in the container's.
fn image_config(descriptor: &JobDescriptor, base: &BaseImage, labels: &super::Labels) -> Vec<u8> {
	let (architecture, variant) = match descriptor.architecture {
		Architecture::Amd64 => ("amd64", None),
		Architecture::Arm64 => ("arm64", None),
		Architecture::Armv7 => ("arm", Some("v7")),
	};
	let layers = descriptor.layers().map(|layer| layer.diff_id);
	let diff_ids: Vec<Digest> = base.diff_ids.iter().copied().chain(layers).collect();
	let mut config = json!({
		"architecture": architecture,
		"os": "linux",
		"created": "1970-01-01T00:00:00Z",
		"config": { "Labels": labels },
		"rootfs": { "type": "layers", "diff_ids": diff_ids },
	});
	if let Some(variant) = variant {
		config["variant"] = variant.into();
	}
	config.to_string().into_bytes()
}

fn write_archive(
	writer: &mut impl Write,
	config: &[u8],
	manifest: &[u8],
	layers: &[(String, PathBuf)],
) -> io::Result<()> {
	let mut builder = tar::Builder::new(&mut *writer);
	let header = |size: u64| {
		let mut header = tar::Header::new_gnu();
		header.set_size(size);
		header.set_mode(0o644);
		header
	};
	let config_name = format!("{}.json", Digest::of(config).to_hex());
	builder.append_data(&mut header(config.len() as u64), config_name, config)?;
	builder.append_data(&mut header(manifest.len() as u64), "manifest.json", manifest)?;
	for (name, path) in layers {
		let file = File::open(path)?;
		builder.append_data(&mut header(file.metadata()?.len()), name, file)?;
	}
	builder.finish()?;
	drop(builder);
	writer.flush()
}

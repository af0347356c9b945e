// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From a base on the engine and a job's layers to an image, moving only what the engine lacks.

use std::{
	fs::File,
	io::{self, Read, Seek, Write},
	path::{Path, PathBuf},
	sync::Arc,
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
	engine::{absent_is_none, architecture, is_confused, is_overtaken, patiently, Inner},
	pipe::{ChannelWriter, PIECES},
	profile::USER_ID,
	BASE_LABEL, OUTPUT_PATH,
};
use crate::{
	descriptor::{Job, JobDescriptor},
	digest::{chain_id, Digest},
	error::{ExecutorError, JobFault, Result},
	run::RunId,
};

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

	/// The images on the engine.
	async fn images(&self, label: Option<&str>) -> Result<Vec<BaseImage>> {
		let images = patiently(is_confused, || self.images_once(label)).await;
		images.map_err(ExecutorError::engine("list images"))
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
			match absent_is_none(inspected)? {
				Some(image) => images.extend(base_image(image)),
				// Removed meanwhile.
				None => continue,
			}
		}
		Ok(images)
	}

	/// Load the job's layers on top of its base and name the image after the run.
	pub(super) async fn load_image(&self, run: &RunId, job: &Job, base: &BaseImage) -> Result<()> {
		let saved = match self.facts.wants_whole_archives() {
			true => Some(self.save_base(run, base).await?),
			false => None,
		};
		let mut layers =
			vec![(job.descriptor.execution_layer.diff_id, job.execution_layer.clone())];
		let data_layer = job.descriptor.data_layer.as_ref().map(|layer| layer.diff_id);
		layers.extend(data_layer.zip(job.data_layer.clone()));
		if self.facts.is_podman() {
			layers.push(self.write_output_layer(run)?);
		}
		let named: Vec<(String, PathBuf)> = layers
			.iter()
			.enumerate()
			.map(|(index, (_, path))| (format!("layer{index}.tar"), path.clone()))
			.collect();
		let config = image_config(
			&job.descriptor,
			base.diff_ids.iter().chain(layers.iter().map(|(diff_id, _)| diff_id)),
			&self.labels(run),
		);
		// Where the base's layers are left out, the engine has them and needs no more than a name.
		let base_names = match &saved {
			Some(saved) => saved.layers.clone(),
			None => base.diff_ids.iter().map(|id| format!("{}.tar", id.to_hex())).collect(),
		};
		let names = named.iter().map(|(name, _)| name.clone());
		let manifest = json!([{
			"Config": config_name(&config),
			"RepoTags": [self.image_name(run)],
			"Layers": base_names.into_iter().chain(names).collect::<Vec<_>>(),
		}])
		.to_string();
		let path = job.execution_layer.clone();
		self.load(&path, move |writer| {
			let mut archive = ImageArchive(tar::Builder::new(writer));
			archive.add(&config_name(&config), config.len() as u64, &config[..])?;
			archive.add("manifest.json", manifest.len() as u64, manifest.as_bytes())?;
			if let Some(saved) = &saved {
				archive.add_saved(saved)?;
			}
			for (name, path) in &named {
				let file = File::open(path)?;
				archive.add(name, file.metadata()?.len(), file)?;
			}
			archive.0.into_inner()?.flush()
		})
		.await
	}

	/// A layer with the folder for the output and its owner: Podman gives a volume to whoever owns the folder below it.
	fn write_output_layer(&self, run: &RunId) -> Result<(Digest, PathBuf)> {
		let mut header = tar::Header::new_gnu();
		header.set_entry_type(tar::EntryType::Directory);
		header.set_mode(0o755);
		header.set_uid(USER_ID);
		header.set_gid(USER_ID);
		header.set_size(0);
		let mut builder = tar::Builder::new(Vec::new());
		let written = builder
			.append_data(&mut header, &OUTPUT_PATH[1..], io::empty())
			.and_then(|()| builder.into_inner());
		let layer = written.expect("writing to memory does not fail; qed");
		let path = self.state.run_folder(run).join("out-layer.tar");
		std::fs::write(&path, &layer).map_err(ExecutorError::io("write", &path))?;
		Ok((Digest::of(&layer), path))
	}

	/// Have the engine write its base image to a file, which is gone with its handle.
	async fn save_base(&self, run: &RunId, base: &BaseImage) -> Result<SavedImage> {
		let path = self.state.run_folder(run).join("base.tar");
		self.save_image(&base.image, &path).await?;
		let read = || {
			let file = File::open(&path)?;
			std::fs::remove_file(&path)?;
			SavedImage::open(file)
		};
		read().map_err(ExecutorError::io("read the base's layers in", &path))
	}

	/// Load the image archive `path`.
	pub(super) async fn install_base(&self, path: &Path) -> Result<()> {
		let file = File::open(path).map_err(ExecutorError::io("open", path))?;
		self.load(path, move |writer| {
			(&file).rewind()?;
			io::copy(&mut &file, writer)?;
			writer.flush()
		})
		.await
	}

	/// Have the engine load the archive that `write` writes from the file `path`.
	async fn load(
		&self,
		path: &Path,
		write: impl Fn(&mut ChannelWriter) -> io::Result<()> + Send + Sync + 'static,
	) -> Result<()> {
		let write = Arc::new(write);
		// An engine that refuses an image stops reading: its reason is the cause.
		let written = patiently(is_overtaken, || self.load_once(write.clone())).await;
		let written = written.map_err(ExecutorError::engine("load an image"))?;
		written.map_err(ExecutorError::io("read", path))
	}

	async fn load_once(
		&self,
		write: Arc<impl Fn(&mut ChannelWriter) -> io::Result<()> + Send + Sync + 'static>,
	) -> std::result::Result<io::Result<()>, bollard::errors::Error> {
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
		loading.map(|()| written)
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
		architecture: image.architecture.as_deref().and_then(architecture),
		diff_ids,
	})
}

/// The image's configuration. It says nothing of how to run: that is in the container's.
fn image_config<'a>(
	descriptor: &JobDescriptor,
	diff_ids: impl Iterator<Item = &'a Digest>,
	labels: &super::Labels,
) -> Vec<u8> {
	let (architecture, variant) = match descriptor.architecture {
		Architecture::Amd64 => ("amd64", None),
		Architecture::Arm64 => ("arm64", None),
		Architecture::Armv7 => ("arm", Some("v7")),
	};
	let diff_ids: Vec<&Digest> = diff_ids.collect();
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

fn config_name(config: &[u8]) -> String {
	format!("{}.json", Digest::of(config).to_hex())
}

/// An image as an engine writes it.
struct SavedImage {
	file: File,
	/// The names of its layers in the file, lowest first.
	layers: Vec<String>,
}

impl SavedImage {
	fn open(file: File) -> io::Result<Self> {
		#[derive(serde::Deserialize)]
		#[serde(rename_all = "PascalCase")]
		struct Entry {
			layers: Vec<String>,
		}
		let mut archive = tar::Archive::new(&file);
		for entry in archive.entries_with_seek()? {
			let entry = entry?;
			if entry.path()? == Path::new("manifest.json") {
				let [Entry { layers }] = serde_json::from_reader(entry)?;
				return Ok(Self { file, layers });
			}
		}
		Err(io::Error::new(io::ErrorKind::InvalidData, "the engine's archive has no manifest.json"))
	}
}

/// The archive of an image, being written.
struct ImageArchive<W: Write>(tar::Builder<W>);

impl<W: Write> ImageArchive<W> {
	fn add(&mut self, name: &str, size: u64, content: impl Read) -> io::Result<()> {
		let mut header = tar::Header::new_gnu();
		header.set_size(size);
		header.set_mode(0o644);
		self.0.append_data(&mut header, name, content)
	}

	/// Add the layers of a saved image, under the names that they have there.
	fn add_saved(&mut self, saved: &SavedImage) -> io::Result<()> {
		(&saved.file).rewind()?;
		let mut archive = tar::Archive::new(&saved.file);
		for entry in archive.entries_with_seek()? {
			let entry = entry?;
			let name = entry.path()?.to_string_lossy().into_owned();
			if saved.layers.contains(&name) {
				self.add(&name, entry.size(), entry)?;
			}
		}
		Ok(())
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs and results on their way to and from directories.
//!
//! A job is one manifest: its configuration is the job's descriptor, its layers are the job's. A result is one as
//! well: its configuration is the run's report, its layers are output and log. Jobs and outputs are asked for by the
//! digests that the chain carries, so that it does not matter what a directory says.

use crate::failure::{Exit, Failure, Outcome};
use modicum_chain_client::Key;
use modicum_directory::{
	client::{AccountLogin, Client, ClientError, ClientSettings},
	digest::Digest,
	manifest::OCI_MANIFEST,
	names::{Reference, RepositoryName, Tag},
};
use modicum_executor::{Job, RunReport};
use serde_json::{json, Value};
use std::{
	collections::HashMap,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};

/// What the manifest of a job, its descriptor and its layers are.
const JOB: &str = "application/vnd.modicum.job.v1+json";
const JOB_LAYER: &str = "application/vnd.modicum.job.layer.v1.tar";
/// What the manifest of a run's result, its report, output and log are.
const RESULT: &str = "application/vnd.modicum.result.v1+json";
const OUTPUT: &str = "application/vnd.modicum.output.v1.tar";
const LOG: &str = "application/vnd.modicum.log.v1";
/// The tag under which a repository's one manifest lies.
pub const TAG: &str = "latest";
/// The largest manifest of a result that is read, bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// Why a transfer failed, in the kinds that agents act on differently.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransferError {
	/// The directory answers, and does not have it.
	#[error("{0}")]
	NotFound(String),
	/// It is larger than whoever uploaded it may make it.
	#[error("{0}")]
	TooLarge(String),
	/// The directory does not answer, refuses those who have a right, or serves wrong bytes.
	#[error("{0}")]
	Unavailable(String),
	/// This machine.
	#[error("{0}")]
	Local(Failure),
}

impl From<TransferError> for Failure {
	fn from(error: TransferError) -> Self {
		match error {
			TransferError::Local(failure) => failure,
			error => Self::new(Exit::Directory, error),
		}
	}
}

impl From<ClientError> for TransferError {
	fn from(error: ClientError) -> Self {
		let text = error.to_string();
		match error {
			ClientError::NotFound { .. } => Self::NotFound(text),
			ClientError::TooLarge { .. } => Self::TooLarge(text),
			ClientError::Local { .. } => Self::Local(Failure::new(Exit::File, text)),
			ClientError::Endpoint { .. }
			| ClientError::Denied { .. }
			| ClientError::WrongContent { .. }
			| ClientError::Refused { .. }
			| ClientError::Unavailable { .. } => Self::Unavailable(text),
		}
	}
}

/// A file to be uploaded.
#[derive(Debug, Clone)]
pub struct Upload {
	media_type: &'static str,
	path: PathBuf,
	digest: Digest,
	size: u64,
}

/// A manifest to be uploaded, and its files.
#[derive(Debug, Clone)]
pub struct Publication {
	artifact_type: &'static str,
	config: Vec<u8>,
	files: Vec<Upload>,
}

fn length(path: &Path) -> Outcome<u64> {
	std::fs::metadata(path).map(|found| found.len()).map_err(|error| Failure::file(path, error))
}

impl Publication {
	/// A job's.
	pub fn of_job(job: &Job) -> Self {
		let paths = std::iter::once(&job.execution_layer).chain(&job.data_layer);
		let files = job.descriptor.layers().zip(paths).map(|(layer, path)| Upload {
			media_type: JOB_LAYER,
			path: path.clone(),
			digest: Digest(layer.digest.0),
			size: layer.size,
		});
		let config = job.descriptor.to_canonical_json();
		Self { artifact_type: JOB, config, files: files.collect() }
	}

	/// A run's.
	///
	/// # Errors
	/// Output or log cannot be read.
	pub fn of_run(report: &RunReport) -> Outcome<Self> {
		let mut files = Vec::new();
		if let (Some(path), Some(hash)) = (&report.output, report.result_hash) {
			let (path, size) = (path.clone(), length(path)?);
			files.push(Upload { media_type: OUTPUT, path, digest: Digest(hash.0), size });
		}
		if let Some(path) = &report.log {
			let log = std::fs::read(path).map_err(|error| Failure::file(path, error))?;
			if !log.is_empty() {
				let (digest, size) = (Digest::of(&log), log.len() as u64);
				files.push(Upload { media_type: LOG, path: path.clone(), digest, size });
			}
		}
		// Where the files lie on this machine is nobody's business.
		let shown = RunReport { log: None, output: None, ..report.clone() };
		let config = serde_json::to_vec(&shown).map_err(Failure::internal)?;
		Ok(Self { artifact_type: RESULT, config, files })
	}

	/// How many bytes there are to upload.
	pub fn bytes(&self) -> u64 {
		self.files.iter().map(|file| file.size).sum::<u64>() + self.config.len() as u64
	}

	fn manifest(&self) -> Vec<u8> {
		let layers: Vec<Value> = self
			.files
			.iter()
			.map(|file| {
				json!({ "mediaType": file.media_type, "digest": file.digest.to_string(), "size": file.size })
			})
			.collect();
		json!({
			"schemaVersion": 2,
			"mediaType": OCI_MANIFEST,
			"artifactType": self.artifact_type,
			"config": {
				"mediaType": self.artifact_type,
				"digest": Digest::of(&self.config).to_string(),
				"size": self.config.len(),
			},
			"layers": layers,
		})
		.to_string()
		.into_bytes()
	}
}

/// What a directory has of a result.
#[derive(Debug, Clone, Default)]
pub struct StoredResult {
	/// Size of the output of the digest asked for, bytes.
	pub output: Option<u64>,
	/// The log, if there is one.
	pub log: Option<(Digest, u64)>,
}

/// The way to directories, for one account. Connections and tokens are kept and shared.
pub struct Transfer {
	login: AccountLogin,
	clients: Mutex<HashMap<String, Client>>,
}

impl Transfer {
	/// For the key's account, on the chain of this genesis hash.
	///
	/// # Errors
	/// None at present.
	pub fn new(key: &Key, genesis: [u8; 32]) -> Outcome<Self> {
		let signer = Arc::new(key.keypair().clone());
		let login = AccountLogin { signer, genesis, directory_id: None };
		Ok(Self { login, clients: Mutex::default() })
	}

	fn client(&self, endpoint: &str) -> Result<Client, TransferError> {
		let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(client) = clients.get(endpoint) {
			return Ok(client.clone());
		}
		// The agents try again by themselves, and know until when.
		let settings = ClientSettings { attempts: 4, ..ClientSettings::default() };
		let client = Client::new(endpoint, settings)?.with_login(self.login.clone());
		clients.insert(endpoint.to_owned(), client.clone());
		Ok(client)
	}

	/// Whether a directory answers.
	pub async fn is_there(&self, endpoint: &str, patience: Duration) -> bool {
		let Ok(client) = self.client(endpoint) else { return false };
		matches!(tokio::time::timeout(patience, client.health()).await, Ok(Ok(())))
	}

	/// Fetches a blob of exactly `size` bytes into a file.
	///
	/// # Errors
	/// [`TransferError`].
	pub async fn fetch(
		&self,
		endpoint: &str,
		repository: &RepositoryName,
		digest: &[u8; 32],
		size: u64,
		to: &Path,
		progress: impl Fn(u64) + Send + Sync,
	) -> Result<(), TransferError> {
		let client = self.client(endpoint)?;
		Ok(client.download_blob(repository, &Digest(*digest), size, to, progress).await?)
	}

	/// Fetches a small blob into memory.
	///
	/// # Errors
	/// [`TransferError`].
	pub async fn read(
		&self,
		endpoint: &str,
		repository: &RepositoryName,
		digest: &[u8; 32],
		max_bytes: u64,
	) -> Result<Vec<u8>, TransferError> {
		let client = self.client(endpoint)?;
		Ok(client.blob(repository, &Digest(*digest), max_bytes).await?.to_vec())
	}

	/// Uploads a manifest and its files; those that are there already are skipped. `progress` is told how many
	/// bytes are there.
	///
	/// # Errors
	/// [`TransferError`].
	pub async fn publish(
		&self,
		endpoint: &str,
		repository: &RepositoryName,
		publication: &Publication,
		progress: impl Fn(u64) + Send + Sync,
	) -> Result<(), TransferError> {
		let client = self.client(endpoint)?;
		let mut before = 0;
		for file in &publication.files {
			let Upload { path, digest, size, .. } = file;
			let of_all = |bytes| progress(before + bytes);
			client.upload_blob(repository, path, digest, *size, of_all).await?;
			before += size;
		}
		client.upload_bytes(repository, publication.config.clone()).await?;
		let manifest = publication.manifest();
		let tag: Tag = TAG.parse().expect("it is a tag; qed");
		client.upload_manifest(repository, &Reference::Tag(tag), OCI_MANIFEST, manifest).await?;
		progress(publication.bytes());
		Ok(())
	}

	/// Looks for a result: the output of this hash must be named by the repository's manifest and be there. Mediator
	/// and creator both ask here whether there is a result.
	///
	/// # Errors
	/// [`TransferError`], but not [`TransferError::NotFound`]: then nothing is there.
	pub async fn stored_result(
		&self,
		endpoint: &str,
		repository: &RepositoryName,
		result_hash: &[u8; 32],
	) -> Result<StoredResult, TransferError> {
		let client = self.client(endpoint)?;
		let tag: Tag = TAG.parse().expect("it is a tag; qed");
		let found = client.manifest(repository, &Reference::Tag(tag), MAX_MANIFEST_BYTES).await;
		let manifest = match found {
			Ok(manifest) => manifest.bytes,
			Err(ClientError::NotFound { .. } | ClientError::TooLarge { .. }) => {
				return Ok(StoredResult::default());
			},
			Err(error) => return Err(error.into()),
		};
		let layers = layers(&manifest);
		let output = Digest(*result_hash);
		let size = layers.iter().find(|(_, digest, _)| *digest == output).map(|(_, _, size)| *size);
		let output = match size {
			Some(size) if client.blob_exists(repository, &output).await? => Some(size),
			_ => None,
		};
		let log = layers.into_iter().find(|(media_type, ..)| media_type == LOG);
		Ok(StoredResult { output, log: log.map(|(_, digest, size)| (digest, size)) })
	}
}

/// The layers of a manifest that another account has written: what cannot be read is not there.
fn layers(manifest: &[u8]) -> Vec<(String, Digest, u64)> {
	let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
	let layers = manifest["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
	let read = |layer: &Value| {
		let digest = layer["digest"].as_str()?.parse().ok()?;
		Some((layer["mediaType"].as_str()?.to_owned(), digest, layer["size"].as_u64()?))
	};
	layers.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use modicum_directory::manifest::Manifest;

	#[test]
	fn a_manifest_names_its_files_and_directories_take_it() {
		let file = |media_type, byte| Upload {
			media_type,
			path: PathBuf::new(),
			digest: Digest([byte; 32]),
			size: u64::from(byte),
		};
		let files = vec![file(OUTPUT, 1), file(LOG, 2)];
		let publication = Publication { artifact_type: RESULT, config: b"{}".to_vec(), files };
		assert_eq!(publication.bytes(), 5);
		let manifest = publication.manifest();
		assert!(Manifest::parse(&manifest, Some(OCI_MANIFEST)).is_ok());
		let found = layers(&manifest);
		assert_eq!(found[1], (LOG.to_string(), Digest([2; 32]), 2));
		for broken in [&b""[..], b"[]", b"{\"layers\":7}", b"{\"layers\":[{\"digest\":\"x\"}]}"] {
			assert_eq!(layers(broken), []);
		}
	}
}

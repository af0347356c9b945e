// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Blobs as objects in a bucket, through the `object_store` library.

use super::{BlobStore, ByteStream, StoreError, StoredBlob};
use crate::{config::S3Config, digest::Digest};
use async_trait::async_trait;
use futures::{stream::BoxStream, StreamExt, TryStreamExt};
use object_store::{
	aws::AmazonS3Builder, path::Path as ObjectPath, GetOptions, GetRange, ObjectStore,
	ObjectStoreExt, WriteMultipart,
};
use std::{io, ops::Range, path::Path, sync::Arc};
use tokio::io::AsyncReadExt;

/// Bytes of one part of a multipart upload; S3 asks for at least 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts on their way at once.
const PARTS_IN_FLIGHT: usize = 2;

/// Blobs in a bucket.
pub struct ObjectBlobStore {
	store: Arc<dyn ObjectStore>,
	prefix: String,
}

impl ObjectBlobStore {
	/// A store over any implementation, under a prefix.
	pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
		let prefix = prefix.trim_matches('/');
		let prefix = if prefix.is_empty() { "blobs".into() } else { format!("{prefix}/blobs") };
		Self { store, prefix }
	}

	/// A store over an S3-compatible service, with the credentials of the environment.
	///
	/// # Errors
	/// Settings or credentials are missing.
	pub fn s3(config: &S3Config) -> Result<Self, StoreError> {
		let mut builder = AmazonS3Builder::from_env()
			.with_bucket_name(&config.bucket)
			.with_region(&config.region);
		if let Some(endpoint) = &config.endpoint {
			builder =
				builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
		}
		Ok(Self::new(Arc::new(builder.build()?), &config.prefix))
	}

	fn path(&self, digest: &Digest) -> ObjectPath {
		let name = digest.to_hex();
		ObjectPath::from(format!("{}/{}/{name}", self.prefix, &name[..2]))
	}
}

#[async_trait]
impl BlobStore for ObjectBlobStore {
	async fn publish(&self, staged: &Path, digest: &Digest, size: u64) -> Result<(), StoreError> {
		let path = self.path(digest);
		if size <= PART_BYTES as u64 {
			let bytes = tokio::fs::read(staged).await?;
			self.store.put(&path, bytes.into()).await?;
		} else {
			let mut file = tokio::fs::File::open(staged).await?;
			let upload = self.store.put_multipart(&path).await?;
			let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
			let mut chunk = vec![0; super::CHUNK_BYTES];
			loop {
				let failed = match file.read(&mut chunk).await {
					Ok(0) => break,
					Ok(n) => {
						writer.write(&chunk[..n]);
						writer.wait_for_capacity(PARTS_IN_FLIGHT).await.map_err(StoreError::from)
					},
					Err(e) => Err(e.into()),
				};
				if let Err(error) = failed {
					// What was sent so far must not stay and cost money.
					if let Err(abort) = writer.abort().await {
						tracing::warn!(target: "modicum::directory", %abort, "a multipart upload stays");
					}
					return Err(error);
				}
			}
			writer.finish().await?;
		}
		Ok(tokio::fs::remove_file(staged).await?)
	}

	async fn read(&self, digest: &Digest, range: Range<u64>) -> Result<ByteStream, StoreError> {
		if range.is_empty() {
			return Ok(futures::stream::empty().boxed());
		}
		let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
		match self.store.get_opts(&self.path(digest), options).await {
			Ok(found) => Ok(found.into_stream().map_err(io::Error::other).boxed()),
			Err(object_store::Error::NotFound { .. }) => Err(StoreError::Missing(*digest)),
			Err(error) => Err(error.into()),
		}
	}

	async fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
		match self.store.delete(&self.path(digest)).await {
			Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
			Err(error) => Err(error.into()),
		}
	}

	fn list(&self) -> BoxStream<'static, Result<StoredBlob, StoreError>> {
		self.store
			.list(Some(&ObjectPath::from(self.prefix.as_str())))
			.try_filter_map(|object| async move {
				let digest = object.location.filename().and_then(Digest::from_hex);
				let stored_at = u64::try_from(object.last_modified.timestamp_millis()).unwrap_or(0);
				Ok(digest.map(|digest| StoredBlob { digest, stored_at }))
			})
			.map_err(StoreError::from)
			.boxed()
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Where the bytes of blobs lie. An upload is always gathered in a file on the local disk first; a
//! store takes the finished file. Manifests' bytes are stored as blobs are.

mod local;
mod object;

pub use local::LocalStore;
pub use object::ObjectBlobStore;

use crate::digest::Digest;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use std::{io, ops::Range, path::Path};

/// How much is read and written at once, bytes. What one transfer takes of memory is twice this.
pub const CHUNK_BYTES: usize = 128 * 1024;

/// Why a store fails.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The disk.
	#[error("the disk failed: {0}")]
	Io(#[from] io::Error),
	/// There is no such blob.
	#[error("the store has no {0}")]
	Missing(Digest),
	/// A remote store.
	#[error("the object store failed: {0}")]
	Backend(#[from] object_store::Error),
}

/// A blob that a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
	/// Its digest.
	pub digest: Digest,
	/// When it was stored, milliseconds since the Unix epoch.
	pub stored_at: u64,
}

/// Bytes as they are read.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// A place for blobs.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
	/// Takes the content of the file `staged`, which is removed, as the blob `digest`. When this returns
	/// the blob is durable and whole; before, nobody sees any of it. A blob that is there is replaced:
	/// the content is the same, unless the old one was damaged.
	///
	/// # Errors
	/// Nothing was stored.
	async fn publish(&self, staged: &Path, digest: &Digest, size: u64) -> Result<(), StoreError>;

	/// Reads these bytes of a blob, which must lie within it.
	///
	/// # Errors
	/// [`StoreError::Missing`] or a failure.
	async fn read(&self, digest: &Digest, range: Range<u64>) -> Result<ByteStream, StoreError>;

	/// Removes a blob; one that is not there is no error.
	///
	/// # Errors
	/// It may still be there.
	async fn remove(&self, digest: &Digest) -> Result<(), StoreError>;

	/// Every blob there is, in any order.
	fn list(&self) -> BoxStream<'static, Result<StoredBlob, StoreError>>;

	/// Puts a damaged blob out of the way, for the operator to look at where that is possible.
	///
	/// # Errors
	/// It may still be there.
	async fn set_aside(&self, digest: &Digest) -> Result<(), StoreError> {
		self.remove(digest).await
	}
}

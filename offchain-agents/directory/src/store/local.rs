// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Blobs as files on the local disk: `blobs/<first two digits>/<digest>`.

use super::{BlobStore, ByteStream, StoreError, StoredBlob};
use crate::digest::Digest;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{
	stream::{self, BoxStream},
	StreamExt,
};
use rustix::{
	fs::{fadvise, Advice},
	io::{preadv2, ReadWriteFlags},
};
use std::{
	fs::{self, File},
	io::{self, IoSliceMut},
	ops::Range,
	os::unix::fs::FileExt,
	path::{Path, PathBuf},
	sync::{Mutex, PoisonError},
	time::UNIX_EPOCH,
};
use tokio::task::spawn_blocking;

/// How much of a blob is read at once, bytes. A download takes up to twice this.
const READ_BYTES: usize = 256 * 1024;
/// The most buffers kept for the next reader.
const SPARE_BUFFERS: usize = 16;
/// Buffers of [`READ_BYTES`] that nobody uses: fresh memory would have to be cleared for every one.
static SPARE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// A piece of a blob in a buffer that goes back when it has been sent.
struct Piece {
	buffer: Box<[u8]>,
	len: usize,
}

impl Piece {
	fn take(len: usize) -> Self {
		if len < READ_BYTES {
			return Self { buffer: vec![0; len].into(), len };
		}
		let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
		Self { buffer: spare.unwrap_or_else(|| vec![0; READ_BYTES].into()), len }
	}
}

impl AsRef<[u8]> for Piece {
	fn as_ref(&self) -> &[u8] {
		&self.buffer[..self.len]
	}
}

impl Drop for Piece {
	fn drop(&mut self) {
		if self.buffer.len() < READ_BYTES {
			return;
		}
		let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
		if spare.len() < SPARE_BUFFERS {
			spare.push(std::mem::take(&mut self.buffer));
		}
	}
}

/// A blob that is being read, and which bytes of it are still wanted.
struct Reader {
	file: File,
	left: Range<u64>,
}

impl Reader {
	/// An empty piece as long as the next.
	fn piece(&self) -> Piece {
		let left = self.left.end - self.left.start;
		Piece::take(usize::try_from(left).unwrap_or(usize::MAX).min(READ_BYTES))
	}

	/// The next piece. Waits for the disk.
	fn read(mut self) -> io::Result<(Bytes, Self)> {
		let mut piece = self.piece();
		let len = piece.len;
		self.file.read_exact_at(&mut piece.buffer[..len], self.left.start)?;
		self.left.start += len as u64;
		Ok((Bytes::from_owner(piece), self))
	}

	/// The next piece, or the beginning of it, if that lies in memory. The thread that will send it reads it, so
	/// that it is in that thread's cache and no other has to be woken.
	fn read_cached(&mut self) -> Option<Bytes> {
		let mut piece = self.piece();
		let mut into = [IoSliceMut::new(&mut piece.buffer[..piece.len])];
		let read = preadv2(&self.file, &mut into, self.left.start, ReadWriteFlags::NOWAIT);
		piece.len = read.ok().filter(|len| *len > 0)?;
		self.left.start += piece.len as u64;
		Some(Bytes::from_owner(piece))
	}
}

/// Blobs on the local disk.
pub struct LocalStore {
	blobs: PathBuf,
	damaged: PathBuf,
}

/// Runs what waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(
	f: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
	spawn_blocking(f).await.map_err(io::Error::other)?
}

impl LocalStore {
	/// Opens the store in this folder, making its folders.
	///
	/// # Errors
	/// A folder cannot be made.
	pub fn open(root: &Path) -> io::Result<Self> {
		let store = Self { blobs: root.join("blobs"), damaged: root.join("damaged") };
		for shard in 0..=0xff_u8 {
			fs::create_dir_all(store.blobs.join(hex::encode([shard])))?;
		}
		fs::create_dir_all(&store.damaged)?;
		File::open(&store.blobs)?.sync_all()?;
		Ok(store)
	}

	fn path(&self, digest: &Digest) -> PathBuf {
		let name = digest.to_hex();
		self.blobs.join(&name[..2]).join(name)
	}
}

#[async_trait]
impl BlobStore for LocalStore {
	async fn publish(&self, staged: &Path, digest: &Digest, _size: u64) -> Result<(), StoreError> {
		let (staged, path) = (staged.to_owned(), self.path(digest));
		Ok(blocking(move || {
			File::open(&staged)?.sync_all()?;
			fs::rename(&staged, &path)?;
			// The new name itself must reach the disk.
			File::open(path.parent().expect("a blob's path has a shard; qed"))?.sync_all()
		})
		.await?)
	}

	async fn read(&self, digest: &Digest, range: Range<u64>) -> Result<ByteStream, StoreError> {
		let path = self.path(digest);
		let opened = blocking(move || {
			let file = File::open(path)?;
			fadvise(&file, 0, None, Advice::Sequential)?;
			Reader { file, left: range }.read()
		})
		.await;
		let (first, reader) = opened.map_err(|e| match e.kind() {
			io::ErrorKind::NotFound => StoreError::Missing(*digest),
			_ => e.into(),
		})?;
		let rest = stream::try_unfold(reader, |mut reader| async move {
			if reader.left.is_empty() {
				return Ok(None);
			}
			Ok(Some(match reader.read_cached() {
				Some(bytes) => (bytes, reader),
				None => blocking(move || reader.read()).await?,
			}))
		});
		Ok(stream::once(async { Ok(first) }).chain(rest).boxed())
	}

	async fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
		let path = self.path(digest);
		match blocking(move || fs::remove_file(path)).await {
			Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
			_ => Ok(()),
		}
	}

	fn list(&self) -> BoxStream<'static, Result<StoredBlob, StoreError>> {
		let blobs = self.blobs.clone();
		stream::iter(0..=0xff_u8)
			.then(move |shard| {
				let shard = blobs.join(hex::encode([shard]));
				blocking(move || list_shard(&shard))
			})
			.flat_map(|shard| match shard {
				Ok(found) => stream::iter(found).map(Ok).boxed(),
				Err(e) => stream::once(async { Err(e.into()) }).boxed(),
			})
			.boxed()
	}

	async fn set_aside(&self, digest: &Digest) -> Result<(), StoreError> {
		let (from, to) = (self.path(digest), self.damaged.join(digest.to_hex()));
		Ok(blocking(move || fs::rename(from, to)).await?)
	}
}

fn list_shard(shard: &Path) -> io::Result<Vec<StoredBlob>> {
	let mut found = Vec::new();
	for entry in fs::read_dir(shard)? {
		let entry = entry?;
		let Some(digest) = entry.file_name().to_str().and_then(Digest::from_hex) else { continue };
		let modified = match entry.metadata() {
			Ok(metadata) => metadata.modified()?,
			// Removed since the folder was read.
			Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
			Err(e) => return Err(e),
		};
		let stored_at = modified.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
		found.push(StoredBlob { digest, stored_at });
	}
	Ok(found)
}

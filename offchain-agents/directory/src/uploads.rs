// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Uploads on their way: each a file that grows, with the hash of what it holds so far. They survive a
//! restart: what was acknowledged is there and can be continued.

use crate::{
	access::Grant, account::AccountId, clock::now_ms, digest::Digest, names::RepositoryName,
	store::CHUNK_BYTES,
};
use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
	collections::HashMap,
	fs::{self, File, OpenOptions},
	io::{self, Read, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex,
	},
	time::Duration,
};
use tokio::task::{spawn_blocking, JoinHandle};

/// The most bytes read from a client only for it to see the answer.
const DISCARD_BYTES: usize = 64 * 1024 * 1024;
/// The longest time for that.
const DISCARD_TIME: Duration = Duration::from_secs(10);

/// What of an upload is kept beside its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sidecar {
	repository: String,
	account: Option<AccountId>,
	owner: AccountId,
}

/// An upload.
pub struct Upload {
	/// Its id, unguessable.
	pub id: String,
	/// Where it goes to.
	pub repository: RepositoryName,
	/// Who began it; nobody else may go on.
	pub account: Option<AccountId>,
	/// Whose quota it counts to.
	pub owner: AccountId,
	path: PathBuf,
	offset: AtomicU64,
	touched_at: AtomicU64,
	/// The hash of the first `offset` bytes; `None` after a restart, when it must be made anew. Whoever
	/// holds this lock is the one that adds to the upload.
	hasher: tokio::sync::Mutex<Option<Sha256>>,
}

impl Upload {
	/// Bytes there.
	pub fn offset(&self) -> u64 {
		self.offset.load(Ordering::Acquire)
	}

	/// The file that holds them.
	pub fn path(&self) -> &Path {
		&self.path
	}

	fn touch(&self) {
		self.touched_at.store(now_ms(), Ordering::Release);
	}
}

/// Why bytes were not taken to the end.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
	/// Another request adds to the same upload.
	#[error("another request is adding to this upload; wait for it to end")]
	Busy,
	/// More than allowed.
	#[error("an upload here may have at most {0} bytes")]
	TooLarge(u64),
	/// More or less than `Content-Range` or `Content-Length` announced.
	#[error("{announced} bytes were announced and {received} came")]
	Length {
		/// What was announced.
		announced: u64,
		/// What came.
		received: u64,
	},
	/// The client went away or sent nothing for too long; what came is kept.
	#[error("the transfer broke off: {0}; ask for the upload's status and continue there")]
	Broken(String),
	/// The disk.
	#[error("the disk failed: {0}")]
	Io(#[from] io::Error),
}

/// Bounds on one reception.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
	/// Bytes that the upload may have in all.
	pub max_bytes: u64,
	/// Bytes that this body must have, if that was announced.
	pub announced: Option<u64>,
	/// How long the client may pause.
	pub idle: Duration,
}

/// Why no upload was begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
	/// The account or everybody together has too many.
	#[error("too many uploads are open; finish or cancel some, or wait until they expire")]
	TooMany,
	/// The disk.
	#[error("the disk failed: {0}")]
	Io(#[from] io::Error),
}

/// All uploads.
pub struct Uploads {
	folder: PathBuf,
	min_free_bytes: u64,
	max_open: usize,
	max_open_by_owner: usize,
	open: Mutex<HashMap<String, Arc<Upload>>>,
}

impl Uploads {
	/// Opens the folder and takes up the uploads that a former process left there.
	///
	/// # Errors
	/// The folder cannot be made or read.
	pub fn open(
		folder: &Path,
		min_free_bytes: u64,
		max_open: usize,
		max_open_by_owner: usize,
	) -> io::Result<Self> {
		fs::create_dir_all(folder)?;
		let mut open = HashMap::new();
		for entry in fs::read_dir(folder)? {
			let path = entry?.path();
			let upload = path.file_stem().and_then(|s| s.to_str()).map(str::to_owned);
			match (path.extension().and_then(|e| e.to_str()), upload) {
				(Some("json"), Some(id)) => match take_up(folder, &id) {
					Some(upload) => drop(open.insert(id, Arc::new(upload))),
					None => drop(fs::remove_file(&path)),
				},
				// Parts are judged by their sidecars; staged files were never acknowledged.
				(Some("part"), Some(id)) if folder.join(format!("{id}.json")).exists() => {},
				_ => drop(fs::remove_file(&path)),
			}
		}
		Ok(Self {
			folder: folder.to_owned(),
			min_free_bytes,
			max_open,
			max_open_by_owner,
			open: Mutex::new(open),
		})
	}

	fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Upload>>> {
		self.open.lock().unwrap_or_else(|e| e.into_inner())
	}

	/// How many are open.
	pub fn count(&self) -> usize {
		self.lock().len()
	}

	/// Bytes in open uploads that count to this account.
	pub fn staged_bytes(&self, owner: &AccountId) -> u64 {
		self.lock().values().filter(|u| u.owner == *owner).map(|u| u.offset()).sum()
	}

	/// Begins an upload. Only one that is `resumable` is taken up after a restart: of the others nobody
	/// but the request that began them knows.
	///
	/// # Errors
	/// [`StartError`].
	pub async fn start(
		&self,
		repository: &RepositoryName,
		account: Option<AccountId>,
		grant: &Grant,
		resumable: bool,
	) -> Result<Arc<Upload>, StartError> {
		let id = hex::encode(rand::random::<[u8; 16]>());
		let upload = Arc::new(Upload {
			path: self.folder.join(format!("{id}.part")),
			id: id.clone(),
			repository: repository.clone(),
			account,
			owner: grant.owner,
			offset: AtomicU64::new(0),
			touched_at: AtomicU64::new(now_ms()),
			hasher: tokio::sync::Mutex::new(Some(Sha256::new())),
		});
		{
			let mut open = self.lock();
			let of_owner = open.values().filter(|u| u.owner == grant.owner).count();
			if open.len() >= self.max_open || of_owner >= self.max_open_by_owner {
				return Err(StartError::TooMany);
			}
			open.insert(id.clone(), upload.clone());
		}
		let sidecar = Sidecar { repository: repository.to_string(), account, owner: grant.owner };
		let json = serde_json::to_vec(&sidecar).expect("strings become JSON; qed");
		let (part, side) = (upload.path.clone(), self.folder.join(format!("{id}.json")));
		let made = spawn_blocking(move || {
			File::create_new(part)?;
			if resumable {
				fs::write(side, json)?;
			}
			Ok(())
		})
		.await
		.map_err(io::Error::other)
		.and_then(|made| made);
		if let Err(error) = made {
			self.cancel(&upload).await;
			return Err(error.into());
		}
		Ok(upload)
	}

	/// An open upload of this repository.
	pub fn get(&self, repository: &RepositoryName, id: &str) -> Option<Arc<Upload>> {
		self.lock().get(id).filter(|u| u.repository == *repository).cloned()
	}

	/// Ends an upload and removes what it left.
	pub async fn cancel(&self, upload: &Upload) {
		self.lock().remove(&upload.id);
		let (part, side) = (upload.path.clone(), upload.path.with_extension("json"));
		let removed = spawn_blocking(move || {
			// The part first: a sidecar without a part is nothing.
			for path in [part, side] {
				match fs::remove_file(&path) {
					Err(e) if e.kind() != io::ErrorKind::NotFound => {
						tracing::warn!(target: "modicum::directory", path = %path.display(), error = %e,
							"the rest of an upload stays");
					},
					_ => {},
				}
			}
		});
		if let Err(error) = removed.await {
			tracing::warn!(target: "modicum::directory", %error, "the rest of an upload stays");
		}
	}

	/// Ends the uploads that nothing was added to since `before`, milliseconds since the Unix epoch;
	/// the result is how many.
	pub async fn expire(&self, before: u64) -> usize {
		let old: Vec<_> = self
			.lock()
			.values()
			.filter(|u| u.touched_at.load(Ordering::Acquire) < before)
			.cloned()
			.collect();
		let mut ended = 0;
		for upload in old {
			// One that a request is adding to is not idle: the request has its own time limit.
			if upload.hasher.try_lock().is_ok() {
				self.cancel(&upload).await;
				ended += 1;
			}
		}
		ended
	}

	/// Adds a body to an upload. Whatever was written counts, also if the body breaks off: only a body
	/// that is too long, or not as long as announced, is taken back. It is a task of its own, so that
	/// a client that goes away does not stop it between a write and its book-keeping.
	///
	/// # Errors
	/// [`ReceiveError`].
	pub async fn receive(
		self: &Arc<Self>,
		upload: &Arc<Upload>,
		body: Body,
		bounds: Bounds,
	) -> Result<(), ReceiveError> {
		let (uploads, upload) = (self.clone(), upload.clone());
		let task = async move { uploads.receive_all(&upload, body, bounds).await };
		tokio::spawn(task).await.map_err(io::Error::other)?
	}

	async fn receive_all(
		&self,
		upload: &Upload,
		body: Body,
		bounds: Bounds,
	) -> Result<(), ReceiveError> {
		let mut hasher = upload.hasher.try_lock().map_err(|_| ReceiveError::Busy)?;
		upload.touch();
		let start = upload.offset();
		let file = OpenOptions::new().write(true).open(&upload.path)?;
		let folder = self.folder.clone();
		let before = hasher.clone();
		let sink = Sink {
			file,
			hasher: hasher.take(),
			offset: start,
			folder,
			min_free_bytes: self.min_free_bytes,
		};
		let (sink, mut end) = fill(sink, body, bounds).await?;
		let received = sink.offset - start;
		if let (Ok(()), Some(announced)) = (&end, bounds.announced) {
			if received != announced {
				end = Err(ReceiveError::Length { announced, received });
			}
		}
		match &end {
			Err(ReceiveError::TooLarge(_) | ReceiveError::Length { .. }) => {
				let file = sink.file;
				spawn_blocking(move || file.set_len(start)).await.map_err(io::Error::other)??;
				*hasher = before;
			},
			_ => {
				*hasher = sink.hasher;
				upload.offset.store(sink.offset, Ordering::Release);
			},
		}
		upload.touch();
		end
	}

	/// The digest of all that an upload holds.
	///
	/// # Errors
	/// Another request is adding to it, or the disk fails.
	pub async fn digest(&self, upload: &Upload) -> Result<Digest, ReceiveError> {
		let hasher = upload.hasher.try_lock().map_err(|_| ReceiveError::Busy)?;
		if let Some(hasher) = hasher.as_ref() {
			return Ok(Digest(hasher.clone().finalize().into()));
		}
		let (path, len) = (upload.path.clone(), upload.offset());
		let hashed =
			spawn_blocking(move || hash_file(&path, len)).await.map_err(io::Error::other)?;
		Ok(hashed?)
	}

	/// Forgets an upload whose file was published; only its sidecar is left to remove.
	pub async fn finish(&self, upload: &Upload) {
		self.cancel(upload).await;
	}

	/// Writes bytes that came as a whole to a file of their own, to be published.
	///
	/// # Errors
	/// The disk.
	pub async fn stage(&self, bytes: Bytes) -> io::Result<PathBuf> {
		let path = self.folder.join(format!("{}.staged", hex::encode(rand::random::<[u8; 16]>())));
		let (folder, min_free_bytes) = (self.folder.clone(), self.min_free_bytes);
		spawn_blocking(move || {
			check_free(&folder, min_free_bytes)?;
			let written = fs::write(&path, bytes);
			if written.is_err() {
				let _ = fs::remove_file(&path);
			}
			written.map(|()| path)
		})
		.await
		.map_err(io::Error::other)?
	}
}

fn take_up(folder: &Path, id: &str) -> Option<Upload> {
	let sidecar: Sidecar =
		serde_json::from_slice(&fs::read(folder.join(format!("{id}.json"))).ok()?).ok()?;
	let path = folder.join(format!("{id}.part"));
	let offset = fs::metadata(&path).ok()?.len();
	Some(Upload {
		id: id.to_owned(),
		repository: sidecar.repository.parse().ok()?,
		account: sidecar.account,
		owner: sidecar.owner,
		path,
		offset: AtomicU64::new(offset),
		touched_at: AtomicU64::new(now_ms()),
		hasher: tokio::sync::Mutex::new(None),
	})
}

/// Hashes the first `len` bytes and drops what a failure may have left behind them.
fn hash_file(path: &Path, len: u64) -> io::Result<Digest> {
	let mut file = OpenOptions::new().read(true).write(true).open(path)?;
	file.set_len(len)?;
	let mut hasher = Sha256::new();
	let mut chunk = vec![0; CHUNK_BYTES];
	loop {
		match file.read(&mut chunk)? {
			0 => return Ok(Digest(hasher.finalize().into())),
			n => hasher.update(&chunk[..n]),
		}
	}
}

fn check_free(folder: &Path, min_free_bytes: u64) -> io::Result<()> {
	let stat = rustix::fs::statvfs(folder)?;
	let free = stat.f_bavail.saturating_mul(stat.f_frsize);
	if free < min_free_bytes {
		return Err(io::ErrorKind::StorageFull.into());
	}
	Ok(())
}

/// The file of an upload while a body flows into it.
struct Sink {
	file: File,
	hasher: Option<Sha256>,
	offset: u64,
	folder: PathBuf,
	min_free_bytes: u64,
}

impl Sink {
	/// Appends the frames, or nothing.
	fn write(&mut self, frames: &[Bytes]) -> io::Result<()> {
		let write_all = |sink: &mut Self| {
			check_free(&sink.folder, sink.min_free_bytes)?;
			sink.file.seek(SeekFrom::Start(sink.offset))?;
			frames.iter().try_for_each(|frame| sink.file.write_all(frame))
		};
		if let Err(error) = write_all(self) {
			// Half a batch on a full disk must not count as received.
			self.file.set_len(self.offset)?;
			return Err(error);
		}
		for frame in frames {
			if let Some(hasher) = &mut self.hasher {
				hasher.update(frame);
			}
			self.offset += frame.len() as u64;
		}
		Ok(())
	}
}

/// Hashes and writes a batch on a thread that may wait for the disk.
fn write_behind(mut sink: Sink, frames: Vec<Bytes>) -> JoinHandle<(Sink, io::Result<()>)> {
	spawn_blocking(move || {
		let written = sink.write(&frames);
		(sink, written)
	})
}

/// A sink, or the thread that has it at the moment.
enum Slot {
	Free(Sink),
	Writing(JoinHandle<(Sink, io::Result<()>)>),
}

impl Slot {
	async fn free(self) -> io::Result<(Sink, io::Result<()>)> {
		match self {
			Self::Free(sink) => Ok((sink, Ok(()))),
			Self::Writing(thread) => thread.await.map_err(io::Error::other),
		}
	}
}

/// Lets a body flow into a sink: one batch is hashed and written while the next one arrives. The outer
/// error is a panic of the writing thread.
async fn fill(
	sink: Sink,
	body: Body,
	bounds: Bounds,
) -> io::Result<(Sink, Result<(), ReceiveError>)> {
	let mut frames = body.into_data_stream();
	let mut expected = sink.offset;
	let mut slot = Slot::Free(sink);
	let mut batch = Vec::new();
	let mut batch_len = 0;
	let end = loop {
		match tokio::time::timeout(bounds.idle, frames.next()).await {
			Err(_) => break Err(ReceiveError::Broken("nothing came for too long".into())),
			Ok(None) => break Ok(()),
			Ok(Some(Err(error))) => break Err(ReceiveError::Broken(error.to_string())),
			Ok(Some(Ok(frame))) => {
				expected = expected.saturating_add(frame.len() as u64);
				if expected > bounds.max_bytes {
					discard(frames).await;
					break Err(ReceiveError::TooLarge(bounds.max_bytes));
				}
				batch_len += frame.len();
				batch.push(frame);
			},
		}
		if batch_len >= CHUNK_BYTES {
			let (sink, written) = slot.free().await?;
			if let Err(error) = written {
				discard(frames).await;
				return Ok((sink, Err(error.into())));
			}
			slot = Slot::Writing(write_behind(sink, std::mem::take(&mut batch)));
			batch_len = 0;
		}
	};
	let (sink, written) = slot.free().await?;
	if written.is_err() || batch.is_empty() {
		return Ok((sink, written.map_err(ReceiveError::from).and(end)));
	}
	let (sink, written) = Slot::Writing(write_behind(sink, batch)).free().await?;
	Ok((sink, written.map_err(ReceiveError::from).and(end)))
}

/// Reads on for a while what is not wanted any more: a client that is still sending would otherwise
/// find its connection reset, and never see the answer that tells it why.
pub async fn discard(mut frames: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin) {
	let reading = async {
		let mut len = 0;
		while let Some(Ok(frame)) = frames.next().await {
			len += frame.len();
			if len > DISCARD_BYTES {
				break;
			}
		}
	};
	let _ = tokio::time::timeout(DISCARD_TIME, reading).await;
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	const BOUNDS: Bounds =
		Bounds { max_bytes: 1_000_000, announced: None, idle: Duration::from_secs(5) };

	fn grant() -> Grant {
		Grant { owner: AccountId([1; 32]), max_repository_bytes: None }
	}

	fn name() -> RepositoryName {
		"a".parse().unwrap()
	}

	#[tokio::test]
	async fn what_was_received_survives_a_restart() {
		let dir = tempfile::tempdir().unwrap();
		let uploads = Arc::new(Uploads::open(dir.path(), 0, 9, 9).unwrap());
		let upload = uploads.start(&name(), None, &grant(), true).await.unwrap();
		uploads.receive(&upload, Body::from("abc"), BOUNDS).await.unwrap();
		fs::write(dir.path().join("stray.staged"), "x").unwrap();
		fs::write(dir.path().join("stray.part"), "x").unwrap();
		let whole = uploads.start(&name(), None, &grant(), false).await.unwrap();
		uploads.receive(&whole, Body::from("abc"), BOUNDS).await.unwrap();
		drop(uploads);

		let uploads = Arc::new(Uploads::open(dir.path(), 0, 9, 9).unwrap());
		assert_eq!(uploads.count(), 1);
		let files = fs::read_dir(dir.path()).unwrap().count();
		assert_eq!(files, 2, "strays are removed, and what nobody can continue");
		let upload = uploads.get(&name(), &upload.id).unwrap();
		assert_eq!(upload.offset(), 3);
		uploads.receive(&upload, Body::from("def"), BOUNDS).await.unwrap();
		assert_eq!(uploads.digest(&upload).await.unwrap(), Digest::of(b"abcdef"));
		uploads.cancel(&upload).await;
		assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
	}

	#[tokio::test]
	async fn a_body_that_breaks_a_bound_is_taken_back() {
		let dir = tempfile::tempdir().unwrap();
		let uploads = Arc::new(Uploads::open(dir.path(), 0, 9, 9).unwrap());
		let upload = uploads.start(&name(), None, &grant(), true).await.unwrap();
		uploads.receive(&upload, Body::from("abc"), BOUNDS).await.unwrap();
		let short = Bounds { announced: Some(9), ..BOUNDS };
		let end = uploads.receive(&upload, Body::from("de"), short).await;
		assert!(matches!(end, Err(ReceiveError::Length { announced: 9, received: 2 })));
		let small = Bounds { max_bytes: 4, ..BOUNDS };
		let end = uploads.receive(&upload, Body::from("de"), small).await;
		assert!(matches!(end, Err(ReceiveError::TooLarge(4))));
		assert_eq!(upload.offset(), 3);
		uploads.receive(&upload, Body::from("d"), BOUNDS).await.unwrap();
		assert_eq!(uploads.digest(&upload).await.unwrap(), Digest::of(b"abcd"));
	}

	#[tokio::test]
	async fn a_body_that_breaks_off_is_kept_as_far_as_it_came() {
		let dir = tempfile::tempdir().unwrap();
		let uploads = Arc::new(Uploads::open(dir.path(), 0, 9, 9).unwrap());
		let upload = uploads.start(&name(), None, &grant(), true).await.unwrap();
		let broken = futures::stream::iter([
			Ok(Bytes::from(vec![7; 300_000])),
			Err(io::Error::other("gone")),
		]);
		let end = uploads.receive(&upload, Body::from_stream(broken), BOUNDS).await;
		assert!(matches!(end, Err(ReceiveError::Broken(_))));
		assert_eq!(upload.offset(), 300_000);
		assert_eq!(uploads.digest(&upload).await.unwrap(), Digest::of(&[7; 300_000]));
	}

	#[tokio::test]
	async fn open_uploads_are_bounded_and_expire() {
		let dir = tempfile::tempdir().unwrap();
		let uploads = Uploads::open(dir.path(), 0, 2, 1).unwrap();
		let first = uploads.start(&name(), None, &grant(), true).await.unwrap();
		assert!(matches!(
			uploads.start(&name(), None, &grant(), true).await,
			Err(StartError::TooMany)
		));
		let other = Grant { owner: AccountId([2; 32]), ..grant() };
		uploads.start(&name(), None, &other, true).await.unwrap();
		let busy = first.hasher.lock().await;
		assert_eq!(uploads.expire(u64::MAX).await, 1, "one that is added to is not idle");
		drop(busy);
		assert_eq!(uploads.expire(u64::MAX).await, 1);
		assert_eq!(uploads.count(), 0);
	}

	#[tokio::test]
	async fn a_disk_below_its_reserve_takes_nothing() {
		let dir = tempfile::tempdir().unwrap();
		let uploads = Arc::new(Uploads::open(dir.path(), u64::MAX, 9, 9).unwrap());
		let upload = uploads.start(&name(), None, &grant(), true).await.unwrap();
		let end = uploads.receive(&upload, Body::from("abc"), BOUNDS).await;
		assert!(
			matches!(&end, Err(ReceiveError::Io(e)) if e.kind() == io::ErrorKind::StorageFull),
			"{end:?}"
		);
		assert_eq!(upload.offset(), 0);
		assert!(uploads.stage(Bytes::from_static(b"x")).await.is_err());
	}
}

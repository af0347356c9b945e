// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The index: which repository holds which blobs, manifests and tags, who pays for them, and the
//! record of heartbeats. One redb file; every change is a transaction, and changes that arrive at the
//! same time share one, so that many small uploads cost few waits for the disk.
//!
//! What keeps the store whole is the order: a blob's bytes are in the store, synced, before its row is
//! committed, and its row is gone, committed, before its bytes are removed. So a row always has its
//! bytes; bytes without a row are swept (see `collect`).

mod ops;
mod read;

pub use ops::{Changes, NewManifest, Quota};
pub use read::{ManifestSummary, Reader, RepositoryContents};

use crate::{account::AccountId, digest::Digest, manifest::Descriptor, receipt::Receipt};
use redb::{Database, TableDefinition};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	io,
	path::{Path, PathBuf},
	sync::{Arc, RwLock},
	thread::JoinHandle,
};
use tokio::sync::{mpsc, oneshot};

type Key32 = &'static [u8; 32];

/// Blob → size in bytes, time of storing, number of repositories that hold it as blob or manifest.
const BLOBS: TableDefinition<Key32, (u64, u64, u64)> = TableDefinition::new("blobs");
/// Repository and blob → time of linking.
const LINKS: TableDefinition<(&str, Key32), u64> = TableDefinition::new("links");
/// Repository and manifest → [`ManifestRecord`].
const MANIFESTS: TableDefinition<(&str, Key32), &[u8]> = TableDefinition::new("manifests");
/// Repository, content, manifest that names it.
const PARENTS: TableDefinition<(&str, Key32, Key32), ()> = TableDefinition::new("parents");
/// Repository, subject, manifest about it.
const REFERRERS: TableDefinition<(&str, Key32, Key32), ()> = TableDefinition::new("referrers");
/// Repository and tag → manifest.
const TAGS: TableDefinition<(&str, &str), Key32> = TableDefinition::new("tags");
/// Repository → [`RepositoryRecord`].
const REPOSITORIES: TableDefinition<&str, &[u8]> = TableDefinition::new("repositories");
/// Account → bytes and objects that its repositories hold.
const USAGE: TableDefinition<Key32, (u64, u64)> = TableDefinition::new("usage");
/// [`STORED_BYTES`] and [`STORED_BLOBS`].
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
/// Blob whose bytes were found not to fit its digest → when.
const DAMAGED: TableDefinition<Key32, u64> = TableDefinition::new("damaged");
/// Sequence number → heartbeat, JSON.
const HEARTBEATS: TableDefinition<u64, &[u8]> = TableDefinition::new("heartbeats");

/// Bytes of all different blobs.
const STORED_BYTES: &str = "stored bytes";
/// Number of different blobs.
const STORED_BLOBS: &str = "stored blobs";

/// The most changes that share one transaction.
const MAX_BATCH: usize = 256;
/// Changes that may wait before callers do.
const QUEUE: usize = 1024;

/// Why the index refuses or fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
	/// The repository does not hold the blob.
	#[error("this repository has no blob {0}")]
	BlobUnknown(Digest),
	/// The repository does not hold the manifest, or has no such tag.
	#[error("this repository has no such manifest")]
	ManifestUnknown,
	/// A manifest names content that its repository does not hold.
	#[error("the manifest names {0}, which is not in this repository; push it first")]
	ManifestBlobUnknown(Digest),
	/// A manifest gives content a wrong size.
	#[error("the manifest gives {digest} {declared} bytes, it has {actual}")]
	SizeMismatch {
		/// Which content.
		digest: Digest,
		/// What the manifest says.
		declared: u64,
		/// What is stored.
		actual: u64,
	},
	/// The tag names another manifest and tags do not move here.
	#[error("tag '{tag}' names {digest} already and is not moved; use another tag, or the digest")]
	TagTaken {
		/// Which tag.
		tag: String,
		/// What it names.
		digest: Digest,
	},
	/// A manifest of the repository names the content.
	#[error("{0} is named by a manifest of this repository; delete that first")]
	StillReferenced(Digest),
	/// The account's quota of bytes is used up.
	#[error("the account holds {used} bytes; with {wanted} more it would pass its {limit}")]
	AccountQuota {
		/// Bytes held.
		used: u64,
		/// Bytes asked for.
		wanted: u64,
		/// The quota.
		limit: u64,
	},
	/// The account's quota of objects is used up.
	#[error("the account holds {limit} blobs and manifests, which is its limit")]
	ObjectQuota {
		/// The quota.
		limit: u64,
	},
	/// The repository would hold more than the job's offer allows.
	#[error("the repository holds {used} bytes; with {wanted} more it would pass the {limit} that the offer allows")]
	RepositoryLimit {
		/// Bytes held.
		used: u64,
		/// Bytes asked for.
		wanted: u64,
		/// The limit.
		limit: u64,
	},
	/// The quota of all accounts is used up.
	#[error("the directory's own quota is used up")]
	TotalQuota,
	/// The disk is full.
	#[error("no room on the disk of the index")]
	Full,
	/// The index is shutting down.
	#[error("the directory is shutting down")]
	Stopped,
	/// The database failed.
	#[error("the index failed: {0}")]
	Database(String),
}

impl From<redb::Error> for IndexError {
	fn from(error: redb::Error) -> Self {
		match &error {
			redb::Error::Io(e) if e.kind() == io::ErrorKind::StorageFull => Self::Full,
			_ => Self::Database(error.to_string()),
		}
	}
}

macro_rules! from_redb {
	($($error:ident),*) => {$(
		impl From<redb::$error> for IndexError {
			fn from(error: redb::$error) -> Self {
				redb::Error::from(error).into()
			}
		}
	)*};
}
from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError);

impl From<serde_json::Error> for IndexError {
	fn from(error: serde_json::Error) -> Self {
		Self::Database(format!("a record cannot be read: {error}"))
	}
}

impl IndexError {
	/// Whether the transaction it came from must be given up.
	fn is_fatal(&self) -> bool {
		matches!(self, Self::Full | Self::Database(_))
	}
}

/// What is known of a manifest in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRecord {
	/// What it is served as.
	pub media_type: String,
	/// For lists of referrers.
	pub artifact_type: Option<String>,
	/// Bytes of the manifest itself.
	pub size: u64,
	/// Blobs and manifests that it names.
	pub children: Vec<Digest>,
	/// The manifest that it is about.
	pub subject: Option<Digest>,
	/// Its annotations.
	pub annotations: BTreeMap<String, String>,
	/// The directory's receipt.
	pub receipt: Receipt,
}

impl ManifestRecord {
	/// How a list of referrers describes this manifest.
	pub fn descriptor(&self, digest: Digest) -> Descriptor {
		Descriptor {
			media_type: self.media_type.clone(),
			digest,
			size: self.size,
			artifact_type: self.artifact_type.clone(),
			annotations: self.annotations.clone(),
		}
	}
}

/// What is known of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRecord {
	/// Whose quota it counts to.
	pub owner: AccountId,
	/// Bytes of its blobs and manifests.
	pub bytes: u64,
	/// Its blobs and manifests.
	pub objects: u64,
	/// When something was last stored, milliseconds since the Unix epoch.
	pub changed_at: u64,
}

/// The database file and how to open it again.
struct Shared {
	path: PathBuf,
	cache_bytes: usize,
	/// `None` only while it is being opened again, or if that failed.
	database: RwLock<Option<Database>>,
}

impl Shared {
	fn open(&self) -> Result<Database, IndexError> {
		Ok(Database::builder().set_cache_size(self.cache_bytes).create(&self.path)?)
	}

	/// Makes the tables that a new file lacks.
	fn make_tables(&self) -> Result<(), IndexError> {
		self.with(|database| {
			let transaction = database.begin_write()?;
			Changes::open(&transaction)?;
			Ok(transaction.commit()?)
		})
	}

	/// After a failed write redb refuses everything until the file is opened anew.
	fn reopen(&self) {
		let mut slot = self.database.write().unwrap_or_else(|e| e.into_inner());
		*slot = None;
		match self.open() {
			Ok(database) => *slot = Some(database),
			Err(error) => {
				tracing::error!(target: "modicum::directory", %error, "the index cannot be opened again");
			},
		}
	}

	fn with<T>(&self, f: impl FnOnce(&Database) -> Result<T, IndexError>) -> Result<T, IndexError> {
		let read = || self.database.read().unwrap_or_else(|e| e.into_inner());
		let mut slot = read();
		if slot.is_none() {
			drop(slot);
			self.reopen();
			slot = read();
		}
		match slot.as_ref() {
			Some(database) => f(database),
			None => Err(IndexError::Full),
		}
	}
}

/// Tells the caller of a change how its transaction ended.
type Deliver = Box<dyn FnOnce(Result<(), IndexError>) + Send>;
/// A change: runs within a transaction; returns the fatal error, if any.
type Job = Box<dyn FnOnce(&mut Changes<'_>) -> (Deliver, Option<IndexError>) + Send>;

/// The index. The file is closed when this is dropped.
pub struct Index {
	shared: Arc<Shared>,
	/// `None` only while this is dropped.
	jobs: Option<mpsc::Sender<Job>>,
	writer: Option<JoinHandle<()>>,
}

impl Drop for Index {
	/// Waits for the writer, so that the file can be opened again at once.
	fn drop(&mut self) {
		self.jobs = None;
		if let Some(writer) = self.writer.take() {
			// A writer that panicked has said so.
			let _ = writer.join();
		}
	}
}

impl Index {
	/// Opens or makes the file and starts the thread that writes to it.
	///
	/// # Errors
	/// The file cannot be opened, is another program's, or another process has it open.
	pub fn open(path: &Path, cache_bytes: usize) -> Result<Self, IndexError> {
		let shared =
			Arc::new(Shared { path: path.to_owned(), cache_bytes, database: RwLock::new(None) });
		*shared.database.write().unwrap_or_else(|e| e.into_inner()) = Some(shared.open()?);
		shared.make_tables()?;
		let (jobs, queue) = mpsc::channel(QUEUE);
		let for_writer = shared.clone();
		let writer = std::thread::Builder::new()
			.name("directory-index".into())
			.spawn(move || write_batches(&for_writer, queue))
			.map_err(|e| IndexError::Database(e.to_string()))?;
		Ok(Self { shared, jobs: Some(jobs), writer: Some(writer) })
	}

	/// Reads a consistent state. Costs a few reads of the page cache at most, so it is called from
	/// asynchronous code as it is.
	///
	/// # Errors
	/// What `f` returns, or the database's own.
	pub fn read<T>(
		&self,
		f: impl FnOnce(&Reader) -> Result<T, IndexError>,
	) -> Result<T, IndexError> {
		self.shared.with(|database| f(&Reader::new(database)?))
	}

	/// Runs a change and returns when it is on the disk. `change` must check everything before it
	/// changes anything: others' changes share its transaction and are committed although it fails.
	///
	/// # Errors
	/// What `change` returns, or the database's own; then nothing was changed.
	pub async fn write<T: Send + 'static>(
		&self,
		change: impl FnOnce(&mut Changes<'_>) -> Result<T, IndexError> + Send + 'static,
	) -> Result<T, IndexError> {
		let (reply, answer) = oneshot::channel();
		let job: Job = Box::new(move |changes| {
			let result = change(changes);
			let fatal = result.as_ref().err().filter(|e| e.is_fatal()).cloned();
			let deliver: Deliver = Box::new(move |end| {
				// A caller that went away needs no answer.
				let _ = reply.send(end.and(result));
			});
			(deliver, fatal)
		});
		self.jobs
			.as_ref()
			.ok_or(IndexError::Stopped)?
			.send(job)
			.await
			.map_err(|_| IndexError::Stopped)?;
		answer.await.map_err(|_| IndexError::Stopped)?
	}
}

/// The writer's loop: takes what waits, runs it in one transaction, commits, answers.
fn write_batches(shared: &Shared, mut queue: mpsc::Receiver<Job>) {
	while let Some(first) = queue.blocking_recv() {
		let mut batch = vec![first];
		while batch.len() < MAX_BATCH {
			match queue.try_recv() {
				Ok(job) => batch.push(job),
				Err(_) => break,
			}
		}
		let mut delivers = Vec::with_capacity(batch.len());
		let end = shared.with(|database| run_batch(database, batch, &mut delivers));
		if let Err(error) = &end {
			tracing::error!(target: "modicum::directory", %error, "a change of the index failed");
			shared.reopen();
		}
		for deliver in delivers {
			deliver(end.clone());
		}
	}
}

fn run_batch(
	database: &Database,
	batch: Vec<Job>,
	delivers: &mut Vec<Deliver>,
) -> Result<(), IndexError> {
	let transaction = database.begin_write()?;
	let mut failed = None;
	{
		let mut changes = Changes::open(&transaction)?;
		for job in batch {
			let (deliver, fatal) = job(&mut changes);
			delivers.push(deliver);
			if fatal.is_some() {
				failed = fatal;
				break;
			}
		}
	}
	match failed {
		// Dropping the transaction gives it up.
		Some(error) => Err(error),
		None => Ok(transaction.commit()?),
	}
}

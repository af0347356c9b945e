// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an agent must not forget: one small database in its folder.
//!
//! The database is open only while something is read or written, so that `modicum job list` and a running agent can
//! share it. What is to be written at the same time goes into one transaction, which is synced before any of it
//! returns: after a power cut it has happened or not, and a hundred jobs wait for a disk as long as one.

use crate::failure::{Exit, Failure, Outcome};
use redb::{
	Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, Table, TableDefinition,
	TableError,
};
use serde::{de::DeserializeOwned, Serialize};
use std::{
	fs::{File, TryLockError},
	path::{Path, PathBuf},
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};
use tokio::sync::oneshot;

const ENTRIES: TableDefinition<'static, &'static str, &'static [u8]> =
	TableDefinition::new("entries");
/// How long another process may hold the database. It needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

type Entries<'a> = Table<'a, &'static str, &'static [u8]>;
/// What is done to the entries, with a number to answer. A storage error undoes the whole transaction.
type Change = Box<dyn FnOnce(&mut Entries<'_>) -> Result<Outcome<u64>, StorageError> + Send>;
/// A change, and who waits for it.
type Waiting = (Change, oneshot::Sender<Outcome<u64>>);

/// An agent's folder and its database. Clones share a queue.
#[derive(Clone)]
pub struct Store {
	folder: PathBuf,
	/// Changes that the next transaction makes.
	queue: Arc<Mutex<Vec<Waiting>>>,
	/// Held by the one that makes it.
	turn: Arc<tokio::sync::Mutex<()>>,
}

/// Held by the one process that does something in the agent's name; gone with the process, however it ends.
#[derive(Debug)]
pub struct Claim(#[allow(dead_code, reason = "the lock lives as long as the open file")] File);

fn failure(path: &Path, error: impl std::fmt::Display) -> Failure {
	Failure::file(path, format!("{error}. Is the disk full, or the folder not yours?"))
}

impl Store {
	/// The store in `folder`, which is made if need be.
	///
	/// # Errors
	/// The folder cannot be written to.
	pub fn open(folder: impl Into<PathBuf>) -> Outcome<Self> {
		let store = Self { folder: folder.into(), queue: Arc::default(), turn: Arc::default() };
		std::fs::create_dir_all(&store.folder).map_err(|error| failure(&store.folder, error))?;
		// A database that cannot be opened is found now, not in the middle of a job.
		store.with(|_| Ok(()))?;
		Ok(store)
	}

	/// The agent's folder.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// A folder within the agent's, made if need be.
	///
	/// # Errors
	/// It cannot be made.
	pub fn work(&self, name: &str) -> Outcome<PathBuf> {
		let path = self.folder.join(name);
		std::fs::create_dir_all(&path).map_err(|error| failure(&path, error))?;
		Ok(path)
	}

	/// Claims `what`, so that no second process does the same; `None` if one does already.
	///
	/// # Errors
	/// The lock's file cannot be written.
	pub fn claim(&self, what: &str) -> Outcome<Option<Claim>> {
		let path = self.folder.join(format!("{what}.lock"));
		let options = File::options().create(true).truncate(false).write(true).open(&path);
		let file = options.map_err(|error| failure(&path, error))?;
		match file.try_lock() {
			Ok(()) => Ok(Some(Claim(file))),
			Err(TryLockError::WouldBlock) => Ok(None),
			Err(TryLockError::Error(error)) => Err(failure(&path, error)),
		}
	}

	fn with<T>(&self, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Outcome<T> {
		let path = self.folder.join("store.redb");
		let started = Instant::now();
		let database = loop {
			match Database::create(&path) {
				Err(DatabaseError::DatabaseAlreadyOpen) if started.elapsed() < PATIENCE => {
					std::thread::sleep(Duration::from_millis(5));
				},
				opened => break opened.map_err(|error| failure(&path, error))?,
			}
		};
		act(&database).map_err(|error| failure(&path, error))
	}

	fn encode(value: &impl Serialize) -> Vec<u8> {
		serde_json::to_vec(value).expect("records have string keys and numbers that JSON has; qed")
	}

	fn decode<T: DeserializeOwned>(&self, key: &str, bytes: &[u8]) -> Outcome<T> {
		serde_json::from_slice(bytes).map_err(|error| {
			let path = self.folder.display();
			let message = format!("{path}: the entry `{key}` is of another version: {error}");
			Failure::new(Exit::File, message)
		})
	}

	/// Reads an entry.
	///
	/// # Errors
	/// The database cannot be read.
	pub fn get<T: DeserializeOwned>(&self, key: &str) -> Outcome<Option<T>> {
		let bytes = self.with(|database| {
			let table = match database.begin_read()?.open_table(ENTRIES) {
				Err(TableError::TableDoesNotExist(_)) => return Ok(None),
				table => table?,
			};
			Ok(table.get(key)?.map(|value| value.value().to_vec()))
		})?;
		bytes.map(|bytes| self.decode(key, &bytes)).transpose()
	}

	/// Writes an entry.
	///
	/// # Errors
	/// The database cannot be written.
	pub async fn put(&self, key: &str, value: &impl Serialize) -> Outcome<()> {
		let (key, bytes) = (key.to_owned(), Self::encode(value));
		let change = move |entries: &mut Entries<'_>| {
			entries.insert(key.as_str(), bytes.as_slice())?;
			Ok(Ok(0))
		};
		self.change(Box::new(change)).await.map(|_| ())
	}

	/// Adds an entry under the next free number of `kind`, counted up from 1, and returns the number. Of those that
	/// are added at the same time, who asks first has the lower one.
	///
	/// # Errors
	/// The database cannot be written.
	pub async fn add<T: Serialize>(
		&self,
		kind: &'static str,
		make: impl FnOnce(u64) -> T + Send + 'static,
	) -> Outcome<u64> {
		let change = move |entries: &mut Entries<'_>| {
			let last =
				entries.range(key(kind, 0).as_str()..=key(kind, u64::MAX).as_str())?.next_back();
			let last = last.transpose()?.map(|(last, _)| number_of(last.value()));
			let number = last.flatten().unwrap_or(0) + 1;
			let bytes = Self::encode(&make(number));
			entries.insert(key(kind, number).as_str(), bytes.as_slice())?;
			Ok(Ok(number))
		};
		self.change(Box::new(change)).await
	}

	/// Changes an entry, if there is one, and returns what `revise` does; else 0.
	///
	/// # Errors
	/// The database cannot be written, or the entry not be read.
	pub async fn revise<T: Serialize + DeserializeOwned>(
		&self,
		key: &str,
		revise: impl FnOnce(&mut T) -> u64 + Send + 'static,
	) -> Outcome<u64> {
		let (store, key) = (self.clone(), key.to_owned());
		let change = move |entries: &mut Entries<'_>| {
			let found = entries.get(key.as_str())?.map(|old| store.decode(&key, old.value()));
			let mut value: T = match found {
				None => return Ok(Ok(0)),
				Some(Err(failure)) => return Ok(Err(failure)),
				Some(Ok(value)) => value,
			};
			let number = revise(&mut value);
			entries.insert(key.as_str(), Self::encode(&value).as_slice())?;
			Ok(Ok(number))
		};
		self.change(Box::new(change)).await
	}

	/// Makes a change in the next transaction. Who comes first when the last one is over makes it for all that wait.
	/// If this is dropped, the change may be made or not, but not after a later one.
	async fn change(&self, change: Change) -> Outcome<u64> {
		let (done, mut outcome) = oneshot::channel();
		self.queue.lock().unwrap_or_else(PoisonError::into_inner).push((change, done));
		let turn = self.turn.clone().lock_owned().await;
		if let Ok(outcome) = outcome.try_recv() {
			return outcome;
		}
		let store = self.clone();
		let write = move || {
			store.write_all();
			drop(turn);
		};
		tokio::task::spawn_blocking(write).await.map_err(Failure::internal)?;
		outcome.await.map_err(Failure::internal)?
	}

	fn write_all(&self) {
		let waiting =
			std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner));
		let (changes, waiting): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
		let written = self.with(|database| {
			let writing = database.begin_write()?;
			let mut entries = writing.open_table(ENTRIES)?;
			let outcomes = changes.into_iter().map(|change| change(&mut entries));
			let outcomes: Vec<_> = outcomes.collect::<Result<_, _>>()?;
			drop(entries);
			writing.commit()?;
			Ok(outcomes)
		});
		let outcomes = written.unwrap_or_else(|failure| vec![Err(failure); waiting.len()]);
		for (done, outcome) in waiting.into_iter().zip(outcomes) {
			// Whoever asked may have stopped waiting.
			let _ = done.send(outcome);
		}
	}

	/// All numbered entries of `kind`, in order.
	///
	/// # Errors
	/// The database cannot be read.
	pub fn all<T: DeserializeOwned>(&self, kind: &str) -> Outcome<Vec<(u64, T)>> {
		let found = self.with(|database| {
			let table = match database.begin_read()?.open_table(ENTRIES) {
				Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
				table => table?,
			};
			let range = table.range(key(kind, 0).as_str()..=key(kind, u64::MAX).as_str())?;
			let mut found = Vec::new();
			for entry in range {
				let (key, value) = entry?;
				found.push((key.value().to_owned(), value.value().to_vec()));
			}
			Ok(found)
		})?;
		let decoded = found.into_iter().filter_map(|(key, bytes)| {
			number_of(&key).map(|number| Ok((number, self.decode(&key, &bytes)?)))
		});
		decoded.collect()
	}
}

/// The key of a numbered entry: keys sort as their numbers do.
pub fn key(kind: &str, number: u64) -> String {
	format!("{kind}/{number:020}")
}

fn number_of(key: &str) -> Option<u64> {
	key.rsplit_once('/')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use futures::future::join_all;
	use std::collections::BTreeSet;

	#[tokio::test]
	async fn what_is_written_is_there_after_opening_again() {
		let folder = tempfile::tempdir().unwrap();
		let store = Store::open(folder.path().join("agent")).unwrap();
		assert_eq!(store.get::<u64>("next").unwrap(), None);
		assert_eq!(store.all::<String>("job").unwrap(), []);
		store.put("next", &7_u64).await.unwrap();
		let numbers = join_all((0..3).map(|_| store.add("job", |n| format!("job {n}")))).await;
		assert_eq!(numbers, [Ok(1), Ok(2), Ok(3)]);
		let change = |job: &mut String| {
			*job = "changed".into();
			7
		};
		assert_eq!(store.revise(&key("job", 2), change).await, Ok(7));
		assert_eq!(store.revise(&key("job", 4), change).await, Ok(0));
		store.put(&key("jobs-of-another-kind", 9), &"other").await.unwrap();
		let again = Store::open(folder.path().join("agent")).unwrap();
		assert_eq!(again.get::<u64>("next").unwrap(), Some(7));
		let jobs = again.all::<String>("job").unwrap();
		assert_eq!(jobs, [(1, "job 1".into()), (2, "changed".into()), (3, "job 3".into())]);
	}

	#[tokio::test]
	async fn processes_share_the_database_and_one_at_a_time_claims() {
		let folder = tempfile::tempdir().unwrap();
		// Each with a queue of its own, as another process has.
		let stores: Vec<_> = (0..4).map(|_| Store::open(folder.path()).unwrap()).collect();
		let adding = stores.iter().flat_map(|store| (0..10).map(|_| store.add("job", |n| n)));
		let numbers: BTreeSet<_> =
			join_all(adding).await.into_iter().map(|number| number.unwrap()).collect();
		assert_eq!(numbers, (1..=40).collect());
		let store = &stores[0];
		assert_eq!(store.all::<u64>("job").unwrap().len(), 40);
		let claim = store.claim("run").unwrap();
		assert!(claim.is_some());
		assert!(store.claim("run").unwrap().is_none());
		drop(claim);
		assert!(store.claim("run").unwrap().is_some());
	}

	#[tokio::test]
	async fn what_is_dropped_is_not_written_after_what_came_later() {
		let folder = tempfile::tempdir().unwrap();
		let store = Store::open(folder.path()).unwrap();
		for round in 0..20_u64 {
			let pause = std::time::Duration::from_micros(round * 100);
			let _ = tokio::time::timeout(pause, store.put("next", &1_u64)).await;
			store.put("next", &2_u64).await.unwrap();
			assert_eq!(store.get("next").unwrap(), Some(2_u64));
		}
	}

	#[tokio::test]
	async fn a_failure_is_everybodys_who_waits() {
		let folder = tempfile::tempdir().unwrap();
		let store = Store::open(folder.path().join("agent")).unwrap();
		std::fs::remove_dir_all(store.folder()).unwrap();
		let (one, other) = tokio::join!(store.put("a", &1), store.put("b", &2));
		assert_eq!((one.unwrap_err().exit, other.unwrap_err().exit), (Exit::File, Exit::File));
	}

	#[test]
	fn a_folder_that_cannot_be_written_is_named() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("file");
		std::fs::write(&file, "").unwrap();
		let refused = Store::open(file.join("agent")).map(drop).unwrap_err();
		assert_eq!(refused.exit, Exit::File);
		assert!(refused.message.contains("file"), "{refused}");
	}
}

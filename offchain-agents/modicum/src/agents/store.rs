// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an agent must not forget: one small database in its folder.
//!
//! The database is open only while something is read or written, so that `modicum job list` and a running agent can
//! share it. Every change is one transaction, synced before it returns: after a power cut it has happened or not.

use crate::failure::{Exit, Failure, Outcome};
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use serde::{de::DeserializeOwned, Serialize};
use std::{
	fs::{File, TryLockError},
	path::{Path, PathBuf},
	time::{Duration, Instant},
};

const ENTRIES: TableDefinition<'static, &'static str, &'static [u8]> =
	TableDefinition::new("entries");
/// How long another process may hold the database. It needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// An agent's folder and its database.
#[derive(Debug, Clone)]
pub struct Store {
	folder: PathBuf,
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
		let store = Self { folder: folder.into() };
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
	pub fn put(&self, key: &str, value: &impl Serialize) -> Outcome<()> {
		let bytes = Self::encode(value);
		self.with(|database| {
			let writing = database.begin_write()?;
			writing.open_table(ENTRIES)?.insert(key, bytes.as_slice())?;
			Ok(writing.commit()?)
		})
	}

	/// Adds an entry under the next free number of `kind`, counted up from 1, and returns the number.
	///
	/// # Errors
	/// The database cannot be written.
	pub fn add<T: Serialize>(&self, kind: &str, make: impl FnOnce(u64) -> T) -> Outcome<u64> {
		self.with(|database| {
			let writing = database.begin_write()?;
			let number = {
				let mut table = writing.open_table(ENTRIES)?;
				let last =
					table.range(key(kind, 0).as_str()..=key(kind, u64::MAX).as_str())?.next_back();
				let last = last.transpose()?.map(|(last, _)| number_of(last.value()));
				let number = last.flatten().unwrap_or(0) + 1;
				let bytes = Self::encode(&make(number));
				table.insert(key(kind, number).as_str(), bytes.as_slice())?;
				number
			};
			writing.commit()?;
			Ok(number)
		})
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

	#[test]
	fn what_is_written_is_there_after_opening_again() {
		let folder = tempfile::tempdir().unwrap();
		let store = Store::open(folder.path().join("agent")).unwrap();
		assert_eq!(store.get::<u64>("next").unwrap(), None);
		assert_eq!(store.all::<String>("job").unwrap(), []);
		store.put("next", &7_u64).unwrap();
		let numbers: Vec<_> =
			(0..3).map(|_| store.add("job", |n| format!("job {n}")).unwrap()).collect();
		assert_eq!(numbers, [1, 2, 3]);
		store.put(&key("job", 2), &"changed").unwrap();
		store.put(&key("jobs-of-another-kind", 9), &"other").unwrap();
		let again = Store::open(folder.path().join("agent")).unwrap();
		assert_eq!(again.get::<u64>("next").unwrap(), Some(7));
		let jobs = again.all::<String>("job").unwrap();
		assert_eq!(jobs, [(1, "job 1".into()), (2, "changed".into()), (3, "job 3".into())]);
	}

	#[test]
	fn processes_share_the_database_and_one_at_a_time_claims() {
		let folder = tempfile::tempdir().unwrap();
		let store = Store::open(folder.path()).unwrap();
		let writers: Vec<_> = (0..4)
			.map(|_| {
				let store = store.clone();
				std::thread::spawn(move || {
					for _ in 0..10 {
						store.add("job", |n| n).unwrap();
					}
				})
			})
			.collect();
		writers.into_iter().for_each(|writer| writer.join().unwrap());
		assert_eq!(store.all::<u64>("job").unwrap().len(), 40);
		let claim = store.claim("run").unwrap();
		assert!(claim.is_some());
		assert!(store.claim("run").unwrap().is_none());
		drop(claim);
		assert!(store.claim("run").unwrap().is_some());
	}

	#[test]
	fn a_folder_that_cannot_be_written_is_named() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("file");
		std::fs::write(&file, "").unwrap();
		let refused = Store::open(file.join("agent")).unwrap_err();
		assert_eq!(refused.exit, Exit::File);
		assert!(refused.message.contains("file"), "{refused}");
	}
}

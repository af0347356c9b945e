// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a directory must still know of the market after a restart: above all when matches were closed, which no
//! chain's state says. One small database in the directory's folder; what a block changed is one transaction.

use super::state::{Entry, Known, Market, Offer};
use crate::failure::{Failure, Outcome};
use modicum_chain_client::{AccountId, H256};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{de::DeserializeOwned, Serialize};
use std::{
	fmt::Display,
	path::{Path, PathBuf},
	sync::Arc,
};

/// [`GENESIS`], [`FIRST_BLOCK`] and [`BLOCK`].
const ABOUT: TableDefinition<&str, &[u8]> = TableDefinition::new("about");
/// Registered job creators.
const CREATORS: TableDefinition<&[u8; 32], ()> = TableDefinition::new("creators");
/// Job offer → [`Offer`], JSON.
const OFFERS: TableDefinition<u64, &[u8]> = TableDefinition::new("offers");
/// Match → [`Known`], JSON.
const MATCHES: TableDefinition<u64, &[u8]> = TableDefinition::new("matches");

/// The genesis hash of the chain that the rest is of.
const GENESIS: &str = "genesis";
/// The hash of its first block, if it is known: another one is another chain of the same genesis.
const FIRST_BLOCK: &str = "first-block";
/// The number of the last block whose events the rest contains, little-endian.
const BLOCK: &str = "block";

/// The database, open for as long as the directory runs.
#[derive(Clone)]
pub(super) struct MarketStore {
	path: PathBuf,
	database: Arc<Database>,
}

/// Entries as they are to be written; without a value, to be removed.
#[derive(Debug, Default)]
pub(super) struct Batch {
	creators: Vec<(AccountId, bool)>,
	offers: Vec<(u64, Option<Vec<u8>>)>,
	matches: Vec<(u64, Option<Vec<u8>>)>,
}

impl Batch {
	/// These entries as the market has them.
	pub(super) fn of<'a>(market: &Market, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
		let mut batch = Self::default();
		for entry in entries {
			match entry {
				Entry::Creator(who) => batch.creators.push((*who, market.creators.contains(who))),
				Entry::Offer(id) => batch.offers.push((*id, market.offers.get(id).map(encode))),
				Entry::Match(id) => batch.matches.push((*id, market.matches.get(id).map(encode))),
			}
		}
		batch
	}
}

fn encode(value: &impl Serialize) -> Vec<u8> {
	serde_json::to_vec(value).expect("records have string keys and numbers that JSON has; qed")
}

impl MarketStore {
	/// Opens the database in the directory's folder for the chain of this genesis hash and, if it is known, this first
	/// block. What is there of another chain is dropped.
	///
	/// # Errors
	/// The file cannot be used, or another directory uses it.
	pub(super) fn open(folder: &Path, genesis: H256, first_block: Option<H256>) -> Outcome<Self> {
		std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
		let path = folder.join("market.redb");
		let database = Database::create(&path).map_err(|error| {
			let error = error.to_string();
			let error = error.trim_end_matches('.');
			Failure::file(&path, format!("{error}. Is another directory running on this folder?"))
		})?;
		let store = Self { path, database: Arc::new(database) };
		store.run(|database| {
			let writing = database.begin_write()?;
			{
				let mut about = writing.open_table(ABOUT)?;
				let is = |key, hash: H256| -> Result<Option<bool>, redb::Error> {
					Ok(about.get(key)?.map(|known| known.value() == hash.as_bytes()))
				};
				let mut is_same = is(GENESIS, genesis)? == Some(true);
				if let Some(first) = first_block {
					is_same &= is(FIRST_BLOCK, first)? != Some(false);
				}
				if !is_same {
					about.insert(GENESIS, genesis.as_bytes())?;
					about.remove(BLOCK)?;
					about.remove(FIRST_BLOCK)?;
					writing.delete_table(CREATORS)?;
					writing.delete_table(OFFERS)?;
					writing.delete_table(MATCHES)?;
				}
				if let Some(first) = first_block {
					about.insert(FIRST_BLOCK, first.as_bytes())?;
				}
				writing.open_table(CREATORS)?;
				writing.open_table(OFFERS)?;
				writing.open_table(MATCHES)?;
			}
			Ok(writing.commit()?)
		})?;
		Ok(store)
	}

	fn run<T>(&self, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Outcome<T> {
		act(&self.database).map_err(|error| self.failure(error))
	}

	fn failure(&self, error: impl Display) -> Failure {
		Failure::file(&self.path, error)
	}

	fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Outcome<T> {
		serde_json::from_slice(bytes).map_err(|error| {
			self.failure(format!("an entry is of another version: {error}. Remove the file"))
		})
	}

	/// The market as it was written last, and the block after which it was so; `None` if it never was.
	///
	/// # Errors
	/// The file cannot be read.
	pub(super) fn load(&self) -> Outcome<Option<(Market, u64)>> {
		type Rows = Vec<(u64, Vec<u8>)>;
		let (block, creators, offers, matches) = self.run(|database| {
			let reading = database.begin_read()?;
			let block = reading.open_table(ABOUT)?.get(BLOCK)?.map(|block| block.value().to_vec());
			let creators = reading.open_table(CREATORS)?;
			let creators = creators.iter()?.map(|row| Ok(AccountId(*row?.0.value())));
			let creators = creators.collect::<Result<_, redb::Error>>()?;
			let rows = |table| -> Result<Rows, redb::Error> {
				let rows = reading.open_table::<u64, &[u8]>(table)?;
				let rows = rows.iter()?.map(|row| {
					let (id, bytes) = row?;
					Ok((id.value(), bytes.value().to_vec()))
				});
				rows.collect()
			};
			Ok((block, creators, rows(OFFERS)?, rows(MATCHES)?))
		})?;
		let Some(block) = block else { return Ok(None) };
		let block = block.try_into().map_err(|_| self.failure("the block's number is damaged"))?;
		let offers = offers.into_iter().map(|(id, bytes)| Ok((id, self.decode::<Offer>(&bytes)?)));
		let matches =
			matches.into_iter().map(|(id, bytes)| Ok((id, self.decode::<Known>(&bytes)?)));
		let market = Market {
			creators,
			offers: offers.collect::<Outcome<_>>()?,
			matches: matches.collect::<Outcome<_>>()?,
		};
		Ok(Some((market, u64::from_le_bytes(block))))
	}

	/// Writes entries, and that the whole is now the market after `block`. Waits for the disk.
	///
	/// # Errors
	/// The file cannot be written; then nothing of it is.
	pub(super) fn write(&self, batch: Batch, block: u64) -> Outcome<()> {
		self.run(|database| {
			let writing = database.begin_write()?;
			writing.open_table(ABOUT)?.insert(BLOCK, &block.to_le_bytes()[..])?;
			{
				let mut creators = writing.open_table(CREATORS)?;
				for (who, is_there) in &batch.creators {
					match is_there {
						true => creators.insert(&who.0, ())?,
						false => creators.remove(&who.0)?,
					};
				}
			}
			for (table, rows) in [(OFFERS, &batch.offers), (MATCHES, &batch.matches)] {
				let mut table = writing.open_table(table)?;
				for (id, bytes) in rows {
					match bytes {
						Some(bytes) => table.insert(id, bytes.as_slice())?,
						None => table.remove(id)?,
					};
				}
			}
			Ok(writing.commit()?)
		})
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use crate::directory_view::state::{
		tests::{closed, matched, posted, who},
		State,
	};
	use modicum_chain_client::Event;

	const GENESIS_HASH: H256 = H256([7; 32]);

	fn save(store: &MarketStore, state: &mut State, block: u64) {
		store.write(Batch::of(&state.market, &state.changed), block).unwrap();
		state.changed.clear();
	}

	#[test]
	fn closed_matches_are_known_after_a_restart() {
		let folder = tempfile::tempdir().unwrap();
		let store = MarketStore::open(folder.path(), GENESIS_HASH, None).unwrap();
		assert_eq!(store.load().unwrap(), None);
		let mut state = State::default();
		let registered = |creator| Event::JobCreatorRegistered { creator };
		state.take(vec![registered(who(1)), registered(who(5)), posted(1, who(1), 10)], 1);
		save(&store, &mut state, 100);
		state.take(vec![posted(2, who(1), 20), posted(3, who(5), 30), matched(8, 1)], 2);
		save(&store, &mut state, 101);
		state.take(vec![matched(9, 2), closed(8, 1)], 3);
		state.take(vec![Event::JobCreatorDeregistered { creator: who(5) }], 3);
		save(&store, &mut state, 102);
		assert_eq!(state.market.matches.len(), 2);

		// Two directories on one folder would undo each other's work.
		let second = MarketStore::open(folder.path(), GENESIS_HASH, None).map(drop).unwrap_err();
		assert!(second.message.contains("another directory"), "{second}");
		drop(store);
		let store = MarketStore::open(folder.path(), GENESIS_HASH, None).unwrap();
		assert_eq!(store.load().unwrap(), Some((state.market.clone(), 102)));

		// What is forgotten is gone from the file as well.
		state.forget(4);
		save(&store, &mut state, 103);
		assert_eq!(store.load().unwrap(), Some((state.market.clone(), 103)));
		state.replace(Market::default(), 5);
		save(&store, &mut state, 104);
		let (market, _) = store.load().unwrap().unwrap();
		assert_eq!(market, state.market);
		assert!(market.offers.is_empty() && market.matches.contains_key(&9));
	}

	#[test]
	fn another_chain_starts_anew() {
		let folder = tempfile::tempdir().unwrap();
		let mut state = State::default();
		state.take(vec![posted(1, who(1), 10), matched(8, 1)], 1);
		save(&MarketStore::open(folder.path(), GENESIS_HASH, None).unwrap(), &mut state, 100);
		let open = |genesis: u8, first: Option<u8>| {
			MarketStore::open(
				folder.path(),
				H256([genesis; 32]),
				first.map(|byte| H256([byte; 32])),
			)
		};
		let known = open(7, Some(1)).unwrap().load().unwrap();
		assert!(known.is_some(), "its first block was not known before");
		assert_eq!(open(7, None).unwrap().load().unwrap(), known);
		assert_eq!(open(7, Some(1)).unwrap().load().unwrap(), known);
		// A development chain that was started again.
		assert_eq!(open(7, Some(2)).unwrap().load().unwrap(), None);
		let other = open(8, None).unwrap();
		other.write(Batch::default(), 1).unwrap();
		assert_eq!(other.load().unwrap(), Some((Market::default(), 1)));
		drop(other);
		assert!(open(8, Some(2)).unwrap().load().unwrap().is_some(), "that was the other chain's");
	}
}

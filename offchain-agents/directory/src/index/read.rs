// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Reading the index.

use super::{
	IndexError, ManifestRecord, RepositoryRecord, BLOBS, COUNTERS, DAMAGED, HEARTBEATS, LINKS,
	MANIFESTS, REFERRERS, REPOSITORIES, STORED_BLOBS, STORED_BYTES, TAGS, USAGE,
};
use crate::{
	account::AccountId,
	digest::Digest,
	manifest::Descriptor,
	names::{Reference, RepositoryName},
};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

type Result<T> = std::result::Result<T, IndexError>;

const LOWEST: [u8; 32] = [0; 32];
const HIGHEST: [u8; 32] = [0xff; 32];

/// A consistent state of the index.
pub struct Reader(ReadTransaction);

/// A manifest in a repository, for a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestSummary {
	/// How an OCI layout describes it.
	pub descriptor: Descriptor,
	/// Contents that it names.
	pub children: Vec<Digest>,
}

/// All that a repository holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryContents {
	/// Its name.
	pub name: String,
	/// Its record.
	pub record: RepositoryRecord,
	/// Its manifests.
	pub manifests: Vec<ManifestSummary>,
	/// Its tags and what they name.
	pub tags: Vec<(String, Digest)>,
}

impl Reader {
	pub(super) fn new(database: &Database) -> Result<Self> {
		Ok(Self(database.begin_read()?))
	}

	/// The size of a blob that a repository holds undamaged.
	///
	/// # Errors
	/// It holds none such.
	pub fn blob_in(&self, repository: &RepositoryName, digest: &Digest) -> Result<u64> {
		let links = self.0.open_table(LINKS)?;
		if links.get((repository.as_str(), &digest.0))?.is_none() {
			return Err(IndexError::BlobUnknown(*digest));
		}
		self.undamaged_size(digest)?.ok_or(IndexError::BlobUnknown(*digest))
	}

	fn undamaged_size(&self, digest: &Digest) -> Result<Option<u64>> {
		if self.0.open_table(DAMAGED)?.get(&digest.0)?.is_some() {
			return Ok(None);
		}
		self.blob_size(digest)
	}

	/// The size of a blob that the directory has a row of.
	///
	/// # Errors
	/// Only the database's.
	pub fn blob_size(&self, digest: &Digest) -> Result<Option<u64>> {
		Ok(self.0.open_table(BLOBS)?.get(&digest.0)?.map(|row| row.value().0))
	}

	/// Digest and record of a manifest.
	///
	/// # Errors
	/// The repository has none of that tag or digest, or its bytes are damaged.
	pub fn manifest(
		&self,
		repository: &RepositoryName,
		reference: &Reference,
	) -> Result<(Digest, ManifestRecord)> {
		let name = repository.as_str();
		let digest = match reference {
			Reference::Digest(digest) => *digest,
			Reference::Tag(tag) => match self.0.open_table(TAGS)?.get((name, tag.as_str()))? {
				Some(digest) => Digest(*digest.value()),
				None => return Err(IndexError::ManifestUnknown),
			},
		};
		let manifests = self.0.open_table(MANIFESTS)?;
		match manifests.get((name, &digest.0))? {
			Some(bytes) if self.undamaged_size(&digest)?.is_some() => {
				Ok((digest, serde_json::from_slice(bytes.value())?))
			},
			_ => Err(IndexError::ManifestUnknown),
		}
	}

	/// At most `limit` tags after `last`, in order.
	///
	/// # Errors
	/// Only the database's.
	pub fn tags(
		&self,
		repository: &RepositoryName,
		last: Option<&str>,
		limit: usize,
	) -> Result<Vec<(String, Digest)>> {
		let name = repository.as_str();
		let table = self.0.open_table(TAGS)?;
		let mut tags = Vec::new();
		for entry in table.range((name, last.unwrap_or_default())..)? {
			let (key, digest) = entry?;
			let (of, tag) = key.value();
			if of != name || tags.len() >= limit {
				break;
			}
			if last != Some(tag) {
				tags.push((tag.to_owned(), Digest(*digest.value())));
			}
		}
		Ok(tags)
	}

	/// The manifests whose subject this is.
	///
	/// # Errors
	/// Only the database's.
	pub fn referrers(
		&self,
		repository: &RepositoryName,
		subject: &Digest,
	) -> Result<Vec<Descriptor>> {
		let name = repository.as_str();
		let referrers = self.0.open_table(REFERRERS)?;
		let manifests = self.0.open_table(MANIFESTS)?;
		let mut found = Vec::new();
		for entry in referrers.range((name, &subject.0, &LOWEST)..=(name, &subject.0, &HIGHEST))? {
			let digest = Digest(*entry?.0.value().2);
			if let Some(bytes) = manifests.get((name, &digest.0))? {
				let record: ManifestRecord = serde_json::from_slice(bytes.value())?;
				found.push(record.descriptor(digest));
			}
		}
		Ok(found)
	}

	/// A repository's record, if it holds anything.
	///
	/// # Errors
	/// Only the database's.
	pub fn repository(&self, repository: &RepositoryName) -> Result<Option<RepositoryRecord>> {
		match self.0.open_table(REPOSITORIES)?.get(repository.as_str())? {
			Some(bytes) => Ok(Some(serde_json::from_slice(bytes.value())?)),
			None => Ok(None),
		}
	}

	/// At most `limit` repositories after `last`, in order.
	///
	/// # Errors
	/// Only the database's.
	pub fn repositories(
		&self,
		last: &str,
		limit: usize,
	) -> Result<Vec<(RepositoryName, RepositoryRecord)>> {
		let table = self.0.open_table(REPOSITORIES)?;
		let mut found = Vec::new();
		for entry in table.range(last..)? {
			let (key, bytes) = entry?;
			if key.value() == last {
				continue;
			}
			if found.len() >= limit {
				break;
			}
			let name = key.value().parse().map_err(|_| {
				IndexError::Database(format!("'{}' is no repository name", key.value()))
			})?;
			found.push((name, serde_json::from_slice(bytes.value())?));
		}
		Ok(found)
	}

	/// All that a repository holds.
	///
	/// # Errors
	/// Only the database's.
	pub fn contents(
		&self,
		repository: &RepositoryName,
		record: RepositoryRecord,
	) -> Result<RepositoryContents> {
		let name = repository.as_str();
		let table = self.0.open_table(MANIFESTS)?;
		let mut manifests = Vec::new();
		for entry in table.range((name, &LOWEST)..=(name, &HIGHEST))? {
			let (key, bytes) = entry?;
			let record: ManifestRecord = serde_json::from_slice(bytes.value())?;
			let descriptor = record.descriptor(Digest(*key.value().1));
			manifests.push(ManifestSummary { descriptor, children: record.children });
		}
		let tags = self.tags(repository, None, usize::MAX)?;
		Ok(RepositoryContents { name: name.to_owned(), record, manifests, tags })
	}

	/// Bytes and objects that an account's repositories hold.
	///
	/// # Errors
	/// Only the database's.
	pub fn usage(&self, account: &AccountId) -> Result<(u64, u64)> {
		Ok(self.0.open_table(USAGE)?.get(&account.0)?.map_or((0, 0), |row| row.value()))
	}

	/// Bytes and number of all different blobs.
	///
	/// # Errors
	/// Only the database's.
	pub fn stored(&self) -> Result<(u64, u64)> {
		let counters = self.0.open_table(COUNTERS)?;
		let count = |name| -> Result<u64> { Ok(counters.get(name)?.map_or(0, |n| n.value())) };
		Ok((count(STORED_BYTES)?, count(STORED_BLOBS)?))
	}

	/// Number of damaged blobs.
	///
	/// # Errors
	/// Only the database's.
	pub fn damaged(&self) -> Result<u64> {
		use redb::ReadableTableMetadata;
		Ok(self.0.open_table(DAMAGED)?.len()?)
	}

	/// At most `limit` blobs after `last`, in order, with size and number of repositories.
	///
	/// # Errors
	/// Only the database's.
	pub fn blobs(&self, last: Option<&Digest>, limit: usize) -> Result<Vec<(Digest, u64, u64)>> {
		let table = self.0.open_table(BLOBS)?;
		let mut found = Vec::new();
		for entry in table.range::<&[u8; 32]>(last.map_or(&LOWEST, |d| &d.0)..)? {
			let (key, row) = entry?;
			let digest = Digest(*key.value());
			if last == Some(&digest) {
				continue;
			}
			if found.len() >= limit {
				break;
			}
			let (size, _, links) = row.value();
			found.push((digest, size, links));
		}
		Ok(found)
	}

	/// At most `limit` heartbeats of these sequence numbers, as JSON.
	///
	/// # Errors
	/// Only the database's.
	pub fn heartbeats(&self, sequences: RangeInclusive<u64>, limit: usize) -> Result<Vec<Vec<u8>>> {
		let table = self.0.open_table(HEARTBEATS)?;
		let range = table.range(sequences)?.take(limit);
		range.map(|entry| Ok(entry?.1.value().to_vec())).collect()
	}

	/// First and last sequence number of the record of heartbeats.
	///
	/// # Errors
	/// Only the database's.
	pub fn heartbeat_bounds(&self) -> Result<Option<(u64, u64)>> {
		let table = self.0.open_table(HEARTBEATS)?;
		let bounds = (table.first()?, table.last()?);
		Ok(match bounds {
			(Some((first, _)), Some((last, _))) => Some((first.value(), last.value())),
			_ => None,
		})
	}
}

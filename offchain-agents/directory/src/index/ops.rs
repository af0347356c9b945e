// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Changes of the index. Every public method checks all its conditions before its first change, for a
//! transaction is shared (see [`super::Index::write`]).

use super::{
	IndexError, Key32, ManifestRecord, RepositoryRecord, BLOBS, COUNTERS, DAMAGED, HEARTBEATS,
	LINKS, MANIFESTS, PARENTS, REFERRERS, REPOSITORIES, STORED_BLOBS, STORED_BYTES, TAGS, USAGE,
};
use crate::{
	account::AccountId,
	digest::Digest,
	manifest::Descriptor,
	names::{RepositoryName, Tag},
};
use redb::{ReadableTable, Table, WriteTransaction};

/// The tables within a transaction that writes.
pub struct Changes<'t> {
	blobs: Table<'t, Key32, (u64, u64, u64)>,
	links: Table<'t, (&'static str, Key32), u64>,
	manifests: Table<'t, (&'static str, Key32), &'static [u8]>,
	parents: Table<'t, (&'static str, Key32, Key32), ()>,
	referrers: Table<'t, (&'static str, Key32, Key32), ()>,
	tags: Table<'t, (&'static str, &'static str), Key32>,
	repositories: Table<'t, &'static str, &'static [u8]>,
	usage: Table<'t, Key32, (u64, u64)>,
	counters: Table<'t, &'static str, u64>,
	damaged: Table<'t, Key32, u64>,
	heartbeats: Table<'t, u64, &'static [u8]>,
}

/// What the owner of a repository, the repository and the directory may hold.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
	/// Whose account is charged.
	pub owner: AccountId,
	/// Bytes of all the owner's repositories.
	pub account_bytes: u64,
	/// Objects of all the owner's repositories.
	pub account_objects: u64,
	/// Bytes of this repository.
	pub repository_bytes: Option<u64>,
	/// Bytes of all different blobs.
	pub total_bytes: u64,
}

/// A manifest to be stored.
#[derive(Debug, Clone)]
pub struct NewManifest {
	/// Its digest.
	pub digest: Digest,
	/// The tag to set, if it is pushed by one.
	pub tag: Option<Tag>,
	/// Whether the tag may be taken from another manifest.
	pub may_move_tag: bool,
	/// Blobs that must be in the repository.
	pub blobs: Vec<Descriptor>,
	/// Manifests that must be in the repository.
	pub manifests: Vec<Descriptor>,
	/// The record to keep.
	pub record: ManifestRecord,
}

type Result<T> = std::result::Result<T, IndexError>;

const LOWEST: [u8; 32] = [0; 32];
const HIGHEST: [u8; 32] = [0xff; 32];

impl<'t> Changes<'t> {
	/// Opens every table, making those that do not exist.
	pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self> {
		Ok(Self {
			blobs: transaction.open_table(BLOBS)?,
			links: transaction.open_table(LINKS)?,
			manifests: transaction.open_table(MANIFESTS)?,
			parents: transaction.open_table(PARENTS)?,
			referrers: transaction.open_table(REFERRERS)?,
			tags: transaction.open_table(TAGS)?,
			repositories: transaction.open_table(REPOSITORIES)?,
			usage: transaction.open_table(USAGE)?,
			counters: transaction.open_table(COUNTERS)?,
			damaged: transaction.open_table(DAMAGED)?,
			heartbeats: transaction.open_table(HEARTBEATS)?,
		})
	}

	/// Records that `repository` holds the blob, whose bytes are in the store.
	///
	/// # Errors
	/// A quota would be passed.
	pub fn link_blob(
		&mut self,
		repository: &RepositoryName,
		digest: &Digest,
		size: u64,
		quota: &Quota,
		now: u64,
	) -> Result<()> {
		let name = repository.as_str();
		// Whoever uploads good bytes again mends a damaged blob.
		if self.links.get((name, &digest.0))?.is_some() {
			self.damaged.remove(&digest.0)?;
			return Ok(());
		}
		self.check_quota(name, digest, size, quota)?;
		self.damaged.remove(&digest.0)?;
		self.links.insert((name, &digest.0), now)?;
		self.charge(name, digest, size, &quota.owner, now)
	}

	/// Links a blob that `from` holds into `repository`; the result is its size, or `None` if `from`
	/// does not hold it.
	///
	/// # Errors
	/// A quota would be passed.
	pub fn mount_blob(
		&mut self,
		from: &RepositoryName,
		repository: &RepositoryName,
		digest: &Digest,
		quota: &Quota,
		now: u64,
	) -> Result<Option<u64>> {
		if self.links.get((from.as_str(), &digest.0))?.is_none()
			|| self.damaged.get(&digest.0)?.is_some()
		{
			return Ok(None);
		}
		let Some(size) = self.blob_size(digest)? else { return Ok(None) };
		self.link_blob(repository, digest, size, quota, now)?;
		Ok(Some(size))
	}

	/// Records a manifest, whose bytes are in the store, and its tag. The result is the record kept:
	/// that of the first time, if the repository had the manifest.
	///
	/// # Errors
	/// Content that it names is missing or has another size, the tag is taken, or a quota would be
	/// passed.
	pub fn put_manifest(
		&mut self,
		repository: &RepositoryName,
		new: NewManifest,
		quota: &Quota,
		now: u64,
	) -> Result<ManifestRecord> {
		let (name, digest) = (repository.as_str(), new.digest);
		self.check_content(name, &new)?;
		if let Some(tag) = new.tag.as_ref().filter(|_| !new.may_move_tag) {
			if let Some(old) = self.tags.get((name, tag.as_str()))? {
				if *old.value() != digest.0 {
					return Err(IndexError::TagTaken {
						tag: tag.as_str().to_owned(),
						digest: Digest(*old.value()),
					});
				}
			}
		}
		let known = match self.manifests.get((name, &digest.0))? {
			Some(bytes) => Some(serde_json::from_slice::<ManifestRecord>(bytes.value())?),
			None => None,
		};
		let record = match known {
			Some(record) => record,
			None => {
				self.check_quota(name, &digest, new.record.size, quota)?;
				self.insert_manifest(name, &digest, &new.record, &quota.owner, now)?;
				new.record
			},
		};
		self.damaged.remove(&digest.0)?;
		if let Some(tag) = &new.tag {
			self.tags.insert((name, tag.as_str()), &digest.0)?;
		}
		Ok(record)
	}

	fn check_content(&self, name: &str, new: &NewManifest) -> Result<()> {
		let actual_size = |child: &Descriptor, is_manifest: bool| -> Result<u64> {
			let unknown = IndexError::ManifestBlobUnknown(child.digest);
			let key = (name, &child.digest.0);
			let is_here = if is_manifest {
				self.manifests.get(key)?.is_some()
			} else {
				self.links.get(key)?.is_some()
			};
			if !is_here || self.damaged.get(&child.digest.0)?.is_some() {
				return Err(unknown);
			}
			self.blob_size(&child.digest)?.ok_or(unknown)
		};
		let children = new.blobs.iter().map(|b| (b, false));
		for (child, is_manifest) in children.chain(new.manifests.iter().map(|m| (m, true))) {
			let actual = actual_size(child, is_manifest)?;
			if actual != child.size {
				return Err(IndexError::SizeMismatch {
					digest: child.digest,
					declared: child.size,
					actual,
				});
			}
		}
		Ok(())
	}

	fn insert_manifest(
		&mut self,
		name: &str,
		digest: &Digest,
		record: &ManifestRecord,
		owner: &AccountId,
		now: u64,
	) -> Result<()> {
		let bytes = serde_json::to_vec(record)?;
		self.manifests.insert((name, &digest.0), bytes.as_slice())?;
		for child in &record.children {
			self.parents.insert((name, &child.0, &digest.0), ())?;
		}
		if let Some(subject) = &record.subject {
			self.referrers.insert((name, &subject.0, &digest.0), ())?;
		}
		self.charge(name, digest, record.size, owner, now)
	}

	/// Takes a blob out of a repository.
	///
	/// # Errors
	/// It is not there, or a manifest names it.
	pub fn unlink_blob(&mut self, repository: &RepositoryName, digest: &Digest) -> Result<()> {
		let name = repository.as_str();
		if self.links.get((name, &digest.0))?.is_none() {
			return Err(IndexError::BlobUnknown(*digest));
		}
		self.check_unreferenced(name, digest)?;
		self.links.remove((name, &digest.0))?;
		self.discharge(name, digest)
	}

	/// Takes a tag out of a repository.
	///
	/// # Errors
	/// There is no such tag.
	pub fn delete_tag(&mut self, repository: &RepositoryName, tag: &Tag) -> Result<()> {
		match self.tags.remove((repository.as_str(), tag.as_str()))? {
			Some(_) => Ok(()),
			None => Err(IndexError::ManifestUnknown),
		}
	}

	/// Takes a manifest and its tags out of a repository.
	///
	/// # Errors
	/// It is not there, or another manifest names it.
	pub fn delete_manifest(&mut self, repository: &RepositoryName, digest: &Digest) -> Result<()> {
		let name = repository.as_str();
		if self.manifests.get((name, &digest.0))?.is_none() {
			return Err(IndexError::ManifestUnknown);
		}
		self.check_unreferenced(name, digest)?;
		self.remove_manifest(name, digest)
	}

	fn remove_manifest(&mut self, name: &str, digest: &Digest) -> Result<()> {
		let record: ManifestRecord = match self.manifests.remove((name, &digest.0))? {
			Some(bytes) => serde_json::from_slice(bytes.value())?,
			None => return Ok(()),
		};
		for child in &record.children {
			self.parents.remove((name, &child.0, &digest.0))?;
		}
		if let Some(subject) = &record.subject {
			self.referrers.remove((name, &subject.0, &digest.0))?;
		}
		let mut tags = Vec::new();
		for entry in self.tags.range((name, "")..)? {
			let (key, value) = entry?;
			if key.value().0 != name {
				break;
			}
			if *value.value() == digest.0 {
				tags.push(key.value().1.to_owned());
			}
		}
		for tag in tags {
			self.tags.remove((name, tag.as_str()))?;
		}
		self.discharge(name, digest)
	}

	fn check_unreferenced(&self, name: &str, digest: &Digest) -> Result<()> {
		let mut parents =
			self.parents.range((name, &digest.0, &LOWEST)..=(name, &digest.0, &HIGHEST))?;
		match parents.next().transpose()? {
			Some(_) => Err(IndexError::StillReferenced(*digest)),
			None => Ok(()),
		}
	}

	/// Empties a repository whose time is over, unless it changed after `unchanged_since`. The result
	/// is the number of objects that went.
	///
	/// # Errors
	/// Only the database's.
	pub fn expire_repository(
		&mut self,
		repository: &RepositoryName,
		unchanged_since: u64,
	) -> Result<u64> {
		let name = repository.as_str();
		match self.repository(name)? {
			Some(record) if record.changed_at <= unchanged_since => {},
			_ => return Ok(0),
		}
		let keys = |range: redb::Range<'_, (&'static str, Key32), &'static [u8]>| {
			range.map(|e| Ok(Digest(*e?.0.value().1))).collect::<Result<Vec<_>>>()
		};
		let manifests = keys(self.manifests.range((name, &LOWEST)..=(name, &HIGHEST))?)?;
		for digest in &manifests {
			self.remove_manifest(name, digest)?;
		}
		let blobs = self
			.links
			.range((name, &LOWEST)..=(name, &HIGHEST))?
			.map(|e| Ok(Digest(*e?.0.value().1)))
			.collect::<Result<Vec<_>>>()?;
		for digest in &blobs {
			self.links.remove((name, &digest.0))?;
			self.discharge(name, digest)?;
		}
		self.repositories.remove(name)?;
		Ok((manifests.len() + blobs.len()) as u64)
	}

	/// Takes blobs out of a repository that no manifest names and that were linked before `before`.
	///
	/// # Errors
	/// Only the database's.
	pub fn drop_loose_blobs(&mut self, repository: &RepositoryName, before: u64) -> Result<u64> {
		let name = repository.as_str();
		let mut loose = Vec::new();
		for entry in self.links.range((name, &LOWEST)..=(name, &HIGHEST))? {
			let (key, linked_at) = entry?;
			let digest = Digest(*key.value().1);
			if linked_at.value() < before && self.check_unreferenced(name, &digest).is_ok() {
				loose.push(digest);
			}
		}
		for digest in &loose {
			self.links.remove((name, &digest.0))?;
			self.discharge(name, digest)?;
		}
		// An empty repository is none.
		if self.repository(name)?.is_some_and(|record| record.objects == 0) {
			self.repositories.remove(name)?;
		}
		Ok(loose.len() as u64)
	}

	/// Removes the row of a blob that no repository holds; the result tells whether it did, and then
	/// the caller removes the bytes. The caller holds the blob's lock, so nobody stores it meanwhile.
	///
	/// # Errors
	/// Only the database's.
	pub fn forget_blob(&mut self, digest: &Digest) -> Result<bool> {
		let size = match self.blobs.get(&digest.0)?.map(|row| row.value()) {
			Some((size, _, 0)) => size,
			_ => return Ok(false),
		};
		self.blobs.remove(&digest.0)?;
		self.damaged.remove(&digest.0)?;
		self.count(STORED_BYTES, |n| n.saturating_sub(size))?;
		self.count(STORED_BLOBS, |n| n.saturating_sub(1))?;
		Ok(true)
	}

	/// Notes that a blob's bytes were found not to fit its digest.
	///
	/// # Errors
	/// Only the database's.
	pub fn mark_damaged(&mut self, digest: &Digest, now: u64) -> Result<()> {
		if self.blobs.get(&digest.0)?.is_some() {
			self.damaged.insert(&digest.0, now)?;
		}
		Ok(())
	}

	/// Appends what `make` makes of the last heartbeat to the record.
	///
	/// # Errors
	/// Only the database's.
	pub fn append_heartbeat(
		&mut self,
		make: impl FnOnce(Option<&[u8]>) -> Result<(u64, Vec<u8>)>,
	) -> Result<()> {
		let last = self.heartbeats.last()?.map(|(_, bytes)| bytes.value().to_vec());
		let (sequence, bytes) = make(last.as_deref())?;
		self.heartbeats.insert(sequence, bytes.as_slice())?;
		Ok(())
	}

	/// Drops the heartbeats before `sequence`; the last one always stays.
	///
	/// # Errors
	/// Only the database's.
	pub fn drop_heartbeats_before(&mut self, sequence: u64) -> Result<()> {
		let Some(last) = self.heartbeats.last()?.map(|(key, _)| key.value()) else { return Ok(()) };
		self.heartbeats.retain_in(..sequence.min(last), |_, _| false)?;
		Ok(())
	}

	fn blob_size(&self, digest: &Digest) -> Result<Option<u64>> {
		Ok(self.blobs.get(&digest.0)?.map(|row| row.value().0))
	}

	fn repository(&self, name: &str) -> Result<Option<RepositoryRecord>> {
		match self.repositories.get(name)? {
			Some(bytes) => Ok(Some(serde_json::from_slice(bytes.value())?)),
			None => Ok(None),
		}
	}

	fn count(&mut self, counter: &'static str, change: impl FnOnce(u64) -> u64) -> Result<()> {
		let value = self.counters.get(counter)?.map_or(0, |n| n.value());
		self.counters.insert(counter, change(value))?;
		Ok(())
	}

	fn check_quota(&self, name: &str, digest: &Digest, size: u64, quota: &Quota) -> Result<()> {
		let over = |used: u64, limit: u64| used.checked_add(size).is_none_or(|n| n > limit);
		let repository = self.repository(name)?;
		let owner = repository.as_ref().map_or(quota.owner, |record| record.owner);
		let (used, objects) = self.usage.get(&owner.0)?.map_or((0, 0), |row| row.value());
		if over(used, quota.account_bytes) {
			let limit = quota.account_bytes;
			return Err(IndexError::AccountQuota { used, wanted: size, limit });
		}
		if objects >= quota.account_objects {
			return Err(IndexError::ObjectQuota { limit: quota.account_objects });
		}
		let held = repository.map_or(0, |record| record.bytes);
		if let Some(limit) = quota.repository_bytes.filter(|limit| over(held, *limit)) {
			return Err(IndexError::RepositoryLimit { used: held, wanted: size, limit });
		}
		let stored = self.counters.get(STORED_BYTES)?.map_or(0, |n| n.value());
		if self.blob_size(digest)?.is_none() && over(stored, quota.total_bytes) {
			return Err(IndexError::TotalQuota);
		}
		Ok(())
	}

	/// Counts one more object for a repository, its owner and the store.
	fn charge(
		&mut self,
		name: &str,
		digest: &Digest,
		size: u64,
		owner: &AccountId,
		now: u64,
	) -> Result<()> {
		let row = self.blobs.get(&digest.0)?.map(|row| row.value());
		let (_, stored_at, links) = row.unwrap_or((size, now, 0));
		self.blobs.insert(&digest.0, (size, stored_at, links + 1))?;
		if row.is_none() {
			self.count(STORED_BYTES, |n| n.saturating_add(size))?;
			self.count(STORED_BLOBS, |n| n.saturating_add(1))?;
		}
		let mut record = self.repository(name)?.unwrap_or(RepositoryRecord {
			owner: *owner,
			bytes: 0,
			objects: 0,
			changed_at: now,
		});
		record.bytes = record.bytes.saturating_add(size);
		record.objects += 1;
		record.changed_at = record.changed_at.max(now);
		self.repositories.insert(name, serde_json::to_vec(&record)?.as_slice())?;
		let (bytes, objects) = self.usage.get(&record.owner.0)?.map_or((0, 0), |row| row.value());
		self.usage.insert(&record.owner.0, (bytes.saturating_add(size), objects + 1))?;
		Ok(())
	}

	/// The reverse of [`Self::charge`]; the blob's row stays for the collector.
	fn discharge(&mut self, name: &str, digest: &Digest) -> Result<()> {
		let Some((size, stored_at, links)) = self.blobs.get(&digest.0)?.map(|row| row.value())
		else {
			return Err(IndexError::Database(format!("{name} held {digest}, which has no row")));
		};
		self.blobs.insert(&digest.0, (size, stored_at, links.saturating_sub(1)))?;
		let Some(mut record) = self.repository(name)? else {
			return Err(IndexError::Database(format!("{name} held {digest} and has no record")));
		};
		record.bytes = record.bytes.saturating_sub(size);
		record.objects = record.objects.saturating_sub(1);
		self.repositories.insert(name, serde_json::to_vec(&record)?.as_slice())?;
		let (bytes, objects) = self.usage.get(&record.owner.0)?.map_or((0, 0), |row| row.value());
		let left = (bytes.saturating_sub(size), objects.saturating_sub(1));
		if left.1 == 0 {
			self.usage.remove(&record.owner.0)?;
		} else {
			self.usage.insert(&record.owner.0, left)?;
		}
		Ok(())
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a directory does by itself: collect what nobody needs any more, read blobs again and compare
//! them with their digests, sign heartbeats.

use crate::{
	access::Retention, clock::now_ms, digest::Digest, index::IndexError, names::RepositoryName,
	service::Directory, store::StoreError, uptime::Heartbeat,
};
use futures::{future::BoxFuture, FutureExt, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
	sync::{atomic::Ordering, Arc},
	time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Rows looked at together.
const PAGE: usize = 256;
/// The scrubber rests as many times as long as it read.
const SCRUB_REST: u32 = 9;
/// Between two listings of the whole store.
const SWEEP_EVERY_MS: u64 = 24 * 3_600_000;

/// What a collection did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
	/// Uploads that had expired.
	pub uploads: u64,
	/// Blobs and manifests taken out of repositories whose time was over.
	pub expired: u64,
	/// Blobs taken out of repositories because no manifest named them.
	pub loose: u64,
	/// Blobs that no repository held any more, removed.
	pub blobs: u64,
	/// Bytes in the store that the index did not know, removed.
	pub strays: u64,
	/// Repositories passed over because the rules could not be asked.
	pub skipped: u64,
}

/// What a scrub found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrubbed {
	/// Blobs that were what their digests say.
	pub whole: u64,
	/// Blobs that were not; they are set aside and not served.
	pub damaged: u64,
}

/// Why upkeep stopped short.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
	/// The index.
	#[error(transparent)]
	Index(#[from] IndexError),
	/// The store.
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// The background tasks of a directory; they end soon after `stop`.
pub fn tasks(directory: &Arc<Directory>, stop: &CancellationToken) -> Vec<BoxFuture<'static, ()>> {
	let times = &directory.config.times;
	// A heartbeat is signed at once; the rest has time until clients are served.
	let every = |secs: u64, at_once: bool, task: fn(Arc<Directory>) -> BoxFuture<'static, ()>| {
		let every = Duration::from_secs(secs);
		let first = tokio::time::Instant::now() + if at_once { Duration::ZERO } else { every };
		let ticks = tokio::time::interval_at(first, every);
		repeat(directory.clone(), stop.clone(), ticks, task).boxed()
	};
	vec![
		every(times.heartbeat_secs, true, |directory| {
			async move {
				if let Err(error) = directory.beat(now_ms()).await {
					tracing::error!(target: "modicum::directory", %error, "no heartbeat written");
				}
			}
			.boxed()
		}),
		every(times.collect_secs, false, |directory| {
			async move {
				let sweep = directory.is_sweep_due(now_ms());
				match directory.collect(sweep).await {
					Ok(collected) if collected != Collected::default() => {
						tracing::info!(target: "modicum::directory", ?collected, "collected");
					},
					Ok(_) => {},
					Err(error) => {
						tracing::error!(target: "modicum::directory", %error, "collection failed");
					},
				}
			}
			.boxed()
		}),
		every(times.scrub_secs, false, |directory| {
			async move {
				match directory.scrub(SCRUB_REST).await {
					Ok(scrubbed) => {
						tracing::info!(target: "modicum::directory", ?scrubbed, "read all blobs again");
					},
					Err(error) => {
						tracing::error!(target: "modicum::directory", %error, "scrub failed");
					},
				}
			}
			.boxed()
		}),
	]
}

async fn repeat(
	directory: Arc<Directory>,
	stop: CancellationToken,
	mut ticks: tokio::time::Interval,
	task: fn(Arc<Directory>) -> BoxFuture<'static, ()>,
) {
	ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
	let work = async {
		loop {
			ticks.tick().await;
			task(directory.clone()).await;
		}
	};
	// Stopping in the middle is safe: every step is a transaction or can be done again.
	stop.run_until_cancelled(work).await;
}

impl Directory {
	/// Signs and records a heartbeat and drops those that are too old.
	///
	/// # Errors
	/// The index's.
	pub async fn beat(&self, now: u64) -> Result<(), UpkeepError> {
		// Not the directory itself: the index's writer, which it waits for when it goes, must not be the last to hold it.
		let (realm, keypair) = (self.desk.realm().clone(), self.keypair.clone());
		let up_since = self.up_since;
		let make = move |last: Option<&[u8]>| {
			let last: Option<Heartbeat> = last.map(serde_json::from_slice).transpose()?;
			// A clock that was set back must not break the record.
			let at = last.as_ref().map_or(now, |last| now.max(last.at));
			let next = Heartbeat::next(&realm, &keypair, last.as_ref(), at, up_since.min(at));
			Ok((next.sequence, serde_json::to_vec(&next)?))
		};
		self.index.write(move |changes| changes.append_heartbeat(make)).await?;
		self.metrics.heartbeats.inc();
		let before = now.saturating_sub(self.config.times.heartbeat_kept_secs * 1_000);
		if let Some(first) = self.first_heartbeat_since(before)? {
			let bounds = self.index.read(|reader| reader.heartbeat_bounds())?;
			if bounds.is_some_and(|(oldest, _)| oldest < first) {
				self.index.write(move |changes| changes.drop_heartbeats_before(first)).await?;
			}
		}
		Ok(())
	}

	/// The sequence number of the first heartbeat at or after `from`, by bisection: times only grow.
	///
	/// # Errors
	/// The index's.
	pub fn first_heartbeat_since(&self, from: u64) -> Result<Option<u64>, IndexError> {
		self.index.read(|reader| {
			let Some((mut low, last)) = reader.heartbeat_bounds()? else { return Ok(None) };
			let mut high = last + 1;
			while low < high {
				let middle = low + (high - low) / 2;
				let found = reader.heartbeats(middle..=middle, 1)?;
				let at = match found.first() {
					Some(bytes) => serde_json::from_slice::<Heartbeat>(bytes)?.at,
					None => return Ok(None),
				};
				if at < from {
					low = middle + 1
				} else {
					high = middle
				}
			}
			Ok((low <= last).then_some(low))
		})
	}

	/// Whether it is a day since the store was last listed, and notes that it is now.
	fn is_sweep_due(&self, now: u64) -> bool {
		let last = self.swept_at.load(Ordering::Relaxed);
		let is_due = now.saturating_sub(last) >= SWEEP_EVERY_MS;
		if is_due {
			self.swept_at.store(now, Ordering::Relaxed);
		}
		is_due
	}

	/// Collects everything whose time is over. May run at any time, also while uploads go on, and may
	/// be interrupted at any point. With `sweep` it also lists the whole store for bytes that the
	/// index does not know, which costs money on some object stores.
	///
	/// # Errors
	/// The first failure; what was done until then is done.
	pub async fn collect(&self, sweep: bool) -> Result<Collected, UpkeepError> {
		let now = now_ms();
		let times = &self.config.times;
		let upload_end = now.saturating_sub(times.upload_secs * 1_000);
		let mut collected = Collected {
			uploads: self.uploads.expire(upload_end).await as u64,
			..Collected::default()
		};
		let mut last = String::new();
		loop {
			let page = self.index.read(|reader| reader.repositories(&last, PAGE))?;
			let Some((name, _)) = page.last() else { break };
			last = name.to_string();
			for (name, record) in page {
				self.collect_repository(name, record.changed_at, now, &mut collected).await?;
			}
		}
		self.remove_unheld(&mut collected).await?;
		if sweep {
			self.remove_strays(&mut collected).await?;
		}
		self.metrics.collected_blobs.inc_by(collected.blobs + collected.strays);
		Ok(collected)
	}

	async fn collect_repository(
		&self,
		name: RepositoryName,
		changed_at: u64,
		now: u64,
		collected: &mut Collected,
	) -> Result<(), UpkeepError> {
		let times = &self.config.times;
		// What was stored after the last claim ended, or waits for its first, has time to be claimed.
		let unclaimed_end = changed_at.saturating_add(times.unclaimed_secs * 1_000);
		let end = match self.policy.retention(&name).await {
			Ok(Retention::Keep) => None,
			Ok(Retention::Until(end))
				if changed_at.saturating_add(times.grace_secs * 1_000) <= end =>
			{
				Some(end)
			},
			Ok(Retention::Until(end)) => Some(end.max(unclaimed_end)),
			Ok(Retention::Unclaimed) => Some(unclaimed_end),
			Err(refusal) => {
				tracing::warn!(target: "modicum::directory", repository = %name, %refusal, "not collected");
				collected.skipped += 1;
				None
			},
		};
		if end.is_some_and(|end| end <= now) {
			let repository = name.clone();
			collected.expired += self
				.index
				.write(move |changes| changes.expire_repository(&repository, changed_at))
				.await?;
		}
		let before = now.saturating_sub(times.loose_blob_secs * 1_000);
		collected.loose +=
			self.index.write(move |changes| changes.drop_loose_blobs(&name, before)).await?;
		Ok(())
	}

	async fn remove_unheld(&self, collected: &mut Collected) -> Result<(), UpkeepError> {
		let mut last: Option<Digest> = None;
		loop {
			let page = self.index.read(|reader| reader.blobs(last.as_ref(), PAGE))?;
			let Some((digest, ..)) = page.last() else { return Ok(()) };
			last = Some(*digest);
			for (digest, _, links) in page {
				if links > 0 {
					continue;
				}
				let _alone = self.locks.removing(&digest).await;
				if self.index.write(move |changes| changes.forget_blob(&digest)).await? {
					self.store.remove(&digest).await?;
					collected.blobs += 1;
				}
			}
		}
	}

	/// Removes bytes that have no row: what a crash left between store and index.
	async fn remove_strays(&self, collected: &mut Collected) -> Result<(), UpkeepError> {
		let mut stored = self.store.list();
		while let Some(blob) = stored.next().await.transpose()? {
			let known = self.index.read(|reader| reader.blob_size(&blob.digest))?;
			if known.is_none() && self.discard_unknown(&blob.digest).await? {
				collected.strays += 1;
			}
		}
		Ok(())
	}

	/// Reads every blob once and sets aside those that are not what their digests say. After each it
	/// rests `rest` times as long as it read.
	///
	/// # Errors
	/// The first failure other than a damaged or missing blob.
	pub async fn scrub(&self, rest: u32) -> Result<Scrubbed, UpkeepError> {
		let mut scrubbed = Scrubbed::default();
		let mut last: Option<Digest> = None;
		loop {
			let page = self.index.read(|reader| reader.blobs(last.as_ref(), PAGE))?;
			let Some((digest, ..)) = page.last() else { return Ok(scrubbed) };
			last = Some(*digest);
			for (digest, size, _) in page {
				let started = tokio::time::Instant::now();
				if self.is_whole(&digest, size).await? {
					scrubbed.whole += 1;
					self.metrics.scrubbed_blobs.inc();
				} else if self.set_aside(&digest, size).await? {
					scrubbed.damaged += 1;
				}
				tokio::time::sleep(started.elapsed() * rest).await;
			}
		}
	}

	/// Whether a blob's bytes are what its digest says.
	async fn is_whole(&self, digest: &Digest, size: u64) -> Result<bool, UpkeepError> {
		let bytes = match self.store.read(digest, 0..size).await {
			Ok(bytes) => bytes,
			Err(StoreError::Missing(_)) => return Ok(false),
			// A file that is too short is damaged; a store that does not answer says nothing.
			Err(StoreError::Io(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
				return Ok(false);
			},
			Err(error) => return Err(error.into()),
		};
		let hasher = bytes.try_fold(Sha256::new(), |mut hasher, chunk| async move {
			hasher.update(&chunk);
			Ok(hasher)
		});
		match hasher.await {
			Ok(hasher) => Ok(hasher.finalize()[..] == digest.0),
			Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
			Err(error) => Err(StoreError::Io(error).into()),
		}
	}

	/// Sets a damaged blob aside, unless it was mended or removed meanwhile.
	async fn set_aside(&self, digest: &Digest, size: u64) -> Result<bool, UpkeepError> {
		let _alone = self.locks.removing(digest).await;
		if self.index.read(|reader| reader.blob_size(digest))?.is_none()
			|| self.is_whole(digest, size).await?
		{
			return Ok(false);
		}
		tracing::error!(target: "modicum::directory", %digest, "a stored blob is damaged; set aside");
		let (digest, now) = (*digest, now_ms());
		self.index.write(move |changes| changes.mark_damaged(&digest, now)).await?;
		match self.store.set_aside(&digest).await {
			Ok(()) => Ok(true),
			Err(StoreError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => Ok(true),
			Err(error) => Err(error.into()),
		}
	}
}

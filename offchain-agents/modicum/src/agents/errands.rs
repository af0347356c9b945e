// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an agent does beside following the chain: each errand at most once at a time, failed ones again later.
//!
//! Agents decide from their view of the best chain what is to be done. An errand that changed the chain in block `b`
//! therefore counts as under way until the agent has seen block `b`: else it would be decided on again from a state
//! that is older than what was done. After a fork it counts as under way again until its transaction is final, or
//! can never be: else it might be done twice.

use crate::failure::Outcome;
use modicum_chain_client::Finality;
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt::Display,
	future::{pending, Future},
	time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// First wait after a failure; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The block in which an errand changed the chain, if it did, and what will come of it.
pub type Done = Option<(u64, Finality)>;

/// Errands of one agent, each known by a key.
pub struct Errands<K> {
	tasks: JoinSet<(K, Outcome<Done>)>,
	running: BTreeSet<K>,
	/// Done in a block that the agent has not seen.
	unseen: BTreeSet<(K, u64)>,
	/// Done in blocks that are not final: how often, and the tasks that wait for finality.
	unsettled: BTreeMap<K, usize>,
	settling: JoinSet<(K, Option<u64>)>,
	/// Of the unsettled ones, those that were so at the last fork.
	in_doubt: BTreeMap<K, usize>,
	failures: BTreeMap<K, (u32, Instant)>,
	height: u64,
}

impl<K: Clone + Ord + Display + Send + 'static> Errands<K> {
	/// No errands.
	pub fn new() -> Self {
		Self {
			tasks: JoinSet::new(),
			running: BTreeSet::new(),
			unseen: BTreeSet::new(),
			unsettled: BTreeMap::new(),
			settling: JoinSet::new(),
			in_doubt: BTreeMap::new(),
			failures: BTreeMap::new(),
			height: 0,
		}
	}

	/// Starts an errand, unless the same is under way or has failed a short time ago.
	pub fn start(&mut self, key: K, errand: impl Future<Output = Outcome<Done>> + Send + 'static) {
		let waits = self.failures.get(&key).is_some_and(|(_, again)| *again > Instant::now());
		if waits || self.is_under_way(&key) {
			return;
		}
		self.running.insert(key.clone());
		tracing::debug!(errand = %key, "begins");
		self.tasks.spawn(async move { (key, errand.await) });
	}

	/// Whether an errand is under way, or done in a block that was not seen yet or is in doubt.
	pub fn is_under_way(&self, key: &K) -> bool {
		let unseen = (key.clone(), 0)..=(key.clone(), u64::MAX);
		self.running.contains(key)
			|| self.in_doubt.contains_key(key)
			|| self.unseen.range(unseen).next().is_some()
	}

	/// How many errands are under way.
	pub fn len(&self) -> usize {
		self.running.len()
	}

	/// The agent has seen all blocks up to `height`, and acts on what they left.
	pub fn seen(&mut self, height: u64) {
		self.height = height;
		self.unseen.retain(|(_, block)| *block > height);
	}

	/// The best chain is another: whether what was done is in it shows when it is final.
	pub fn forked(&mut self) {
		self.in_doubt = self.unsettled.clone();
	}

	/// Waits until an errand ends or is settled; forever while there is none. Failures are logged and counted here.
	pub async fn ended(&mut self) {
		tokio::select! {
			Some(ended) = self.tasks.join_next() => match ended {
				Ok((key, outcome)) => self.end(key, outcome),
				// A panic is a defect; the key is lost with the task, so the errand is not tried again.
				Err(error) => tracing::error!(%error, "an errand broke"),
			},
			Some(Ok((key, block))) = self.settling.join_next() => self.settle(key, block),
			else => pending().await,
		}
	}

	fn end(&mut self, key: K, outcome: Outcome<Done>) {
		self.running.remove(&key);
		match outcome {
			Ok(done) => {
				self.failures.remove(&key);
				let Some((block, finality)) = done else { return };
				self.note(&key, block);
				*self.unsettled.entry(key.clone()).or_default() += 1;
				self.settling.spawn(async move {
					let included = finality.wait().await;
					(key, included.ok().map(|included| included.block))
				});
			},
			Err(failure) => {
				let count = self.failures.get(&key).map_or(0, |(count, _)| *count) + 1;
				let wait = FIRST_WAIT.saturating_mul(1 << count.min(7)).min(LONGEST_WAIT);
				tracing::warn!(errand = %key, %failure, "failed; tried again in {wait:?} at the earliest");
				self.failures.insert(key, (count, Instant::now() + wait));
			},
		}
	}

	fn note(&mut self, key: &K, block: u64) {
		if block > self.height {
			self.unseen.insert((key.clone(), block));
		}
	}

	/// An errand's transaction is final in `block`, or nothing can come of it.
	fn settle(&mut self, key: K, block: Option<u64>) {
		if let Some(block) = block {
			self.note(&key, block);
		}
		for counts in [&mut self.unsettled, &mut self.in_doubt] {
			if let Some(count) = counts.get_mut(&key) {
				*count -= 1;
				if *count == 0 {
					counts.remove(&key);
				}
			}
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use crate::failure::Failure;
	use modicum_chain_client::{Included, SubmitError, H256};

	type Settle = Box<dyn FnOnce(Result<u64, SubmitError>)>;

	/// What is done in a block, and what makes it final.
	fn done(block: u64) -> (Done, Settle) {
		let (sender, finality) = Finality::new();
		let settle = move |outcome: Result<u64, SubmitError>| {
			let included = outcome.map(|block| Included {
				block,
				block_hash: H256::zero(),
				transaction: H256::zero(),
				fee: 0,
				events: Vec::new(),
			});
			sender.send(included).unwrap();
		};
		(Some((block, finality)), Box::new(settle))
	}

	#[tokio::test]
	async fn an_errand_is_under_way_until_its_block_is_seen() {
		let mut errands = Errands::new();
		let (posted, _settle) = done(9);
		errands.start("post", async { Ok(posted) });
		errands.ended().await;
		errands.seen(8);
		assert!(errands.is_under_way(&"post"));
		errands.start("post", async { panic!("started twice") });
		errands.seen(9);
		assert!(!errands.is_under_way(&"post"));
		assert_eq!(errands.len(), 0);
	}

	#[tokio::test]
	async fn after_a_fork_an_errand_is_under_way_until_it_is_final_and_seen() {
		let mut errands = Errands::new();
		let (posted, settle) = done(9);
		errands.start("post", async { Ok(posted) });
		errands.ended().await;
		errands.seen(9);
		assert!(!errands.is_under_way(&"post"));
		errands.forked();
		errands.seen(10);
		assert!(errands.is_under_way(&"post"), "it may still come into this chain");
		settle(Ok(12));
		errands.ended().await;
		assert!(errands.is_under_way(&"post"), "it is in a block that was not seen");
		errands.seen(12);
		assert!(!errands.is_under_way(&"post"));
	}

	#[tokio::test]
	async fn what_a_fork_took_back_is_decided_again() {
		let mut errands = Errands::new();
		let ((first, lost), (second, settle)) = (done(9), done(10));
		errands.start("post", async { Ok(first) });
		errands.ended().await;
		errands.seen(9);
		errands.start("post", async { Ok(second) });
		errands.ended().await;
		errands.seen(10);
		errands.forked();
		lost(Err(SubmitError::Forked { call: "post".into() }));
		errands.ended().await;
		assert!(errands.is_under_way(&"post"), "the second is still in doubt");
		settle(Ok(10));
		errands.ended().await;
		assert!(!errands.is_under_way(&"post"));
		errands.forked();
		assert!(!errands.is_under_way(&"post"), "what is final is in no doubt");
	}

	#[tokio::test]
	async fn what_failed_waits_before_it_is_tried_again() {
		let mut errands = Errands::new();
		errands.start("run", async { Err(Failure::internal("no engine")) });
		errands.ended().await;
		errands.start("run", async { Ok(None) });
		assert!(!errands.is_under_way(&"run"));
		errands.start("another", async { Ok(None) });
		assert!(errands.is_under_way(&"another"));
	}
}

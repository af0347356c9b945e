// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an agent does beside following the chain: each errand at most once at a time, failed ones again later.
//!
//! Agents decide from the state of the chain what is to be done. An errand that changed the chain in block `b`
//! therefore counts as under way until the agent has seen block `b`: else it would be decided on again from a state
//! that is older than what was done.

use crate::failure::Outcome;
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

/// The block in which an errand changed the chain, if it did.
pub type Done = Option<u64>;

/// Errands of one agent, each known by a key.
pub struct Errands<K> {
	tasks: JoinSet<(K, Outcome<Done>)>,
	under_way: BTreeSet<K>,
	/// Done in a block that the agent has not seen.
	unseen: Vec<(K, u64)>,
	failures: BTreeMap<K, (u32, Instant)>,
}

impl<K: Clone + Ord + Display + Send + 'static> Errands<K> {
	/// No errands.
	pub fn new() -> Self {
		Self {
			tasks: JoinSet::new(),
			under_way: BTreeSet::new(),
			unseen: Vec::new(),
			failures: BTreeMap::new(),
		}
	}

	/// Starts an errand, unless the same is under way or has failed a short time ago.
	pub fn start(&mut self, key: K, errand: impl Future<Output = Outcome<Done>> + Send + 'static) {
		let waits = self.failures.get(&key).is_some_and(|(_, again)| *again > Instant::now());
		if waits || !self.under_way.insert(key.clone()) {
			return;
		}
		tracing::debug!(errand = %key, "begins");
		self.tasks.spawn(async move { (key, errand.await) });
	}

	/// Whether an errand is under way, or done in a block that was not seen yet.
	pub fn is_under_way(&self, key: &K) -> bool {
		self.under_way.contains(key)
	}

	/// How many errands are under way.
	pub fn len(&self) -> usize {
		self.under_way.len()
	}

	/// The agent has seen all blocks up to `height`, and acts on what they left.
	pub fn seen(&mut self, height: u64) {
		let under_way = &mut self.under_way;
		self.unseen.retain(|(key, block)| {
			let is_seen = *block <= height;
			if is_seen {
				under_way.remove(key);
			}
			!is_seen
		});
	}

	/// Waits until an errand ends; forever while there is none. Failures are logged and counted here.
	pub async fn ended(&mut self) {
		let Some(ended) = self.tasks.join_next().await else { return pending().await };
		let (key, outcome) = match ended {
			Ok(ended) => ended,
			Err(error) => {
				// A panic is a defect; the key is lost with the task, so the errand is not tried again.
				tracing::error!(%error, "an errand broke");
				return;
			},
		};
		match outcome {
			Ok(done) => {
				self.failures.remove(&key);
				match done {
					Some(block) => self.unseen.push((key, block)),
					None => drop(self.under_way.remove(&key)),
				}
			},
			Err(failure) => {
				self.under_way.remove(&key);
				let count = self.failures.get(&key).map_or(0, |(count, _)| *count) + 1;
				let wait = FIRST_WAIT.saturating_mul(1 << count.min(7)).min(LONGEST_WAIT);
				tracing::warn!(errand = %key, %failure, "failed; tried again in {wait:?} at the earliest");
				self.failures.insert(key, (count, Instant::now() + wait));
			},
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use crate::failure::Failure;

	#[tokio::test]
	async fn an_errand_is_under_way_until_its_block_is_seen() {
		let mut errands = Errands::new();
		errands.start("post", async { Ok(Some(9)) });
		errands.ended().await;
		errands.seen(8);
		assert!(errands.is_under_way(&"post"));
		errands.start("post", async { panic!("started twice") });
		errands.seen(9);
		assert_eq!(errands.len(), 0);
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

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every finalised block in order, whatever happens to connections.

use crate::{
	chain::{Chain, Connection},
	config::ChainConfig,
	event::Event,
	heads::{Heads, Kind},
	known::Known,
	snapshot::Snapshot,
	Error, H256,
};
use std::{
	collections::VecDeque,
	sync::Arc,
	time::{Duration, Instant},
};
use subxt::client::Block;

/// How often it is said that the node is behind what was seen before.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// A finalised block and what the market did in it.
#[derive(Clone)]
pub struct FinalizedBlock {
	/// The events of the market, in order.
	pub events: Vec<Event>,
	/// The market after it.
	pub snapshot: Snapshot,
}

impl FinalizedBlock {
	/// The block's number.
	pub fn number(&self) -> u64 {
		self.snapshot.number()
	}

	/// The block's hash.
	pub fn hash(&self) -> H256 {
		self.snapshot.hash()
	}
}

/// What comes next.
pub enum FinalizedItem {
	/// The next block.
	Block(FinalizedBlock),
	/// Blocks whose events can no longer be had: the node has discarded their state, or the light client was not
	/// running. What they did shows in the market as of the last of them, which is to be read anew.
	Missed {
		/// Number of the first.
		first: u64,
		/// Number of the last.
		last: u64,
		/// The market after the last.
		snapshot: Snapshot,
	},
}

/// Every finalised block, in order and once, from a given number on. See [`Chain::finalized_blocks`].
pub struct FinalizedBlocks {
	chain: Chain,
	/// Number of the next block to deliver; not known before the first.
	next: Option<u64>,
	heads: Heads,
	/// Blocks that the subscription gave and that are not delivered.
	fresh: VecDeque<Block<ChainConfig>>,
	/// Number of the last block that is known to be final.
	head: Option<u64>,
	/// Since when the node is behind the next block to deliver, or when that was last said.
	behind_since: Option<Instant>,
}

/// As [`FinalizedItem`], for whoever needs to know more of a block.
pub(crate) enum Item {
	Block(Arc<Known>),
	Missed { first: u64, last: u64, snapshot: Snapshot },
}

impl FinalizedBlocks {
	pub(crate) fn new(chain: Chain, next: Option<u64>) -> Self {
		let heads = Heads::new(chain.clone(), Kind::Final);
		Self { chain, next, heads, fresh: VecDeque::new(), head: None, behind_since: None }
	}

	/// Subscribes now, so that no block from here on can be missed even if [`Self::next`] is first called later.
	///
	/// # Errors
	/// As of [`Chain::connect`].
	pub async fn start(&mut self) -> Result<(), Error> {
		while self.head.is_none() {
			self.receive().await?;
		}
		Ok(())
	}

	/// The next item. Waits for it if there is none yet; may be dropped and called again.
	///
	/// # Errors
	/// As of [`Chain::connect`], and [`Error::Stalled`] if no endpoint shows a new block for as long as
	/// [`crate::ConnectionSettings::stall_timeout`] says. Calling again tries again.
	pub async fn next(&mut self) -> Result<FinalizedItem, Error> {
		Ok(match self.next_known().await? {
			Item::Block(known) => FinalizedItem::Block(FinalizedBlock {
				events: known.events(),
				snapshot: known.snapshot.clone(),
			}),
			Item::Missed { first, last, snapshot } => {
				FinalizedItem::Missed { first, last, snapshot }
			},
		})
	}

	pub(crate) async fn next_known(&mut self) -> Result<Item, Error> {
		loop {
			match (self.next, self.head) {
				(Some(next), Some(head)) if next <= head => {
					if let Some(item) = self.deliver(next).await? {
						return Ok(item);
					}
				},
				_ => self.receive().await?,
			}
		}
	}

	/// Waits for one block from the subscription.
	async fn receive(&mut self) -> Result<(), Error> {
		let Some(block) = self.heads.next().await? else {
			// Blocks of a lost connection are asked for by number.
			self.fresh.clear();
			return Ok(());
		};
		let number = block.number();
		self.head = self.head.max(Some(number));
		if number >= *self.next.get_or_insert(number) {
			self.fresh.push_back(block);
		}
		self.say_if_behind(number);
		let connection = self.chain.connection().await?;
		match self.chain.check_first_block(&connection, number).await {
			Ok(()) => Ok(()),
			Err(error) => {
				self.fresh.clear();
				self.heads.lost(&connection, error).await
			},
		}
	}

	/// Whoever waits for a block that was final before is told.
	fn say_if_behind(&mut self, head: u64) {
		let Some(seen) = self.next.and_then(|next| next.checked_sub(1)).filter(|seen| head < *seen)
		else {
			self.behind_since = None;
			return;
		};
		let since = self.behind_since.get_or_insert_with(Instant::now);
		if since.elapsed() >= SAY_EVERY {
			*since = Instant::now();
			tracing::warn!(
				"the node's last final block is {head}, and {seen} has been seen before: it is catching up, or the \
				 chain was started anew"
			);
		}
	}

	async fn deliver(&mut self, next: u64) -> Result<Option<Item>, Error> {
		while self.fresh.front().is_some_and(|block| block.number() < next) {
			self.fresh.pop_front();
		}
		let block = self.fresh.front().filter(|block| block.number() == next).cloned();
		let connection = self.chain.connection().await?;
		let mut outcome = self.fetch(&connection, block.as_ref(), next).await;
		if outcome.as_ref().is_err_and(Error::is_transient) {
			outcome = self.fetch(&connection, None, next).await;
		}
		match outcome {
			Ok(known) => {
				self.next = Some(next + 1);
				Ok(Some(Item::Block(known)))
			},
			Err(failure) if failure.is_transient() => self.skip(&connection, next, failure).await,
			Err(failure) => Err(failure),
		}
	}

	/// The block `next` cannot be had. If the node answers otherwise, it will not get it back: what it did is to
	/// be read from the state. If not, the connection is lost.
	async fn skip(
		&mut self,
		connection: &Connection,
		next: u64,
		failure: Error,
	) -> Result<Option<Item>, Error> {
		let now = self.chain.limited("the last block", connection.client.at_current_block()).await;
		let timeout = self.chain.settings().request_timeout;
		match now.map(|at| Snapshot::new(at, timeout)) {
			Ok(snapshot) if snapshot.number() >= next => {
				let last = snapshot.number();
				tracing::warn!(first = next, last, "the events of blocks are lost: {failure}");
				self.next = Some(last + 1);
				Ok(Some(Item::Missed { first: next, last, snapshot }))
			},
			// It does not answer, or has fallen behind what another endpoint has shown.
			_ => {
				self.fresh.clear();
				self.heads.lost(connection, failure).await.map(|()| None)
			},
		}
	}

	async fn fetch(
		&self,
		connection: &Connection,
		block: Option<&Block<ChainConfig>>,
		number: u64,
	) -> Result<Arc<Known>, Error> {
		match block {
			Some(block) => self.chain.known(connection, block).await,
			None => {
				let at = self.chain.limited("a block", connection.client.at_block(number)).await?;
				self.chain.known_at(connection, at).await
			},
		}
	}
}

// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every finalised block in order, whatever happens to connections.

use crate::{
	chain::{Chain, Connection},
	config::{ChainConfig, ClientAtBlock},
	event::Event,
	snapshot::Snapshot,
	Error, H256,
};
use std::{
	collections::VecDeque,
	sync::{Mutex, PoisonError},
	time::Instant,
};
use subxt::client::{Block, Blocks};
use tokio::time::timeout;

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
	/// Never locked: the mutex only makes it known that one task at a time uses the stream.
	subscription: Option<(Connection, Mutex<Blocks<ChainConfig>>)>,
	/// Blocks that the subscription gave and that are not delivered.
	fresh: VecDeque<Block<ChainConfig>>,
	/// Number of the last block that is known to be final.
	head: Option<u64>,
	/// When a block last came.
	last_seen: Instant,
}

impl FinalizedBlocks {
	pub(crate) fn new(chain: Chain, next: Option<u64>) -> Self {
		Self {
			chain,
			next,
			subscription: None,
			fresh: VecDeque::new(),
			head: None,
			last_seen: Instant::now(),
		}
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
	/// As of [`Chain::connect`], and [`Error::Timeout`] if no endpoint shows a new block for as long as
	/// [`crate::ConnectionSettings::stall_timeout`] says. Calling again tries again.
	pub async fn next(&mut self) -> Result<FinalizedItem, Error> {
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
		let stall_timeout = self.chain.settings().stall_timeout;
		if self.subscription.is_none() {
			let connection = self.chain.connection().await?;
			let stream = self.chain.limited("new blocks", connection.client.stream_blocks()).await;
			match stream {
				Ok(stream) => self.subscription = Some((connection, Mutex::new(stream))),
				Err(error) => {
					self.chain.give_up(&connection, &error).await;
					return self.check_stall(error);
				},
			}
		}
		let Some((connection, stream)) = &mut self.subscription else { return Ok(()) };
		let stream = stream.get_mut().unwrap_or_else(PoisonError::into_inner);
		let failure = match timeout(stall_timeout, stream.next()).await {
			Ok(Some(Ok(block))) => {
				let number = block.number();
				self.last_seen = Instant::now();
				self.head = self.head.max(Some(number));
				let next = *self.next.get_or_insert(number);
				if number >= next {
					self.fresh.push_back(block);
				}
				return Ok(());
			},
			Ok(Some(Err(error))) => Error::request("new blocks", error),
			Ok(None) => Error::Unreachable(vec![(
				connection.endpoint.clone(),
				"it ended the subscription to new blocks".into(),
			)]),
			Err(_) => Error::Timeout { what: "the next finalised block", limit: stall_timeout },
		};
		self.chain.give_up(&connection.clone(), &failure).await;
		self.subscription = None;
		// Blocks of a lost connection are asked for by number.
		self.fresh.clear();
		self.check_stall(failure)
	}

	/// A failure is silent while another endpoint may still make up for it.
	fn check_stall(&self, failure: Error) -> Result<(), Error> {
		let settings = self.chain.settings();
		if self.last_seen.elapsed() > settings.stall_timeout.max(settings.patience) {
			return Err(failure);
		}
		Ok(())
	}

	async fn deliver(&mut self, next: u64) -> Result<Option<FinalizedItem>, Error> {
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
			Ok(block) => {
				self.next = Some(next + 1);
				Ok(Some(FinalizedItem::Block(block)))
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
	) -> Result<Option<FinalizedItem>, Error> {
		let now = self.chain.limited("the last block", connection.client.at_current_block()).await;
		let snapshot = now.map(|at| self.snapshot(at));
		match snapshot {
			Ok(snapshot) if snapshot.number() >= next => {
				let last = snapshot.number();
				tracing::warn!(first = next, last, "the events of blocks are lost: {failure}");
				self.next = Some(last + 1);
				Ok(Some(FinalizedItem::Missed { first: next, last, snapshot }))
			},
			// It does not answer, or has fallen behind what another endpoint has shown.
			_ => {
				self.chain.give_up(connection, &failure).await;
				self.subscription = None;
				self.fresh.clear();
				self.check_stall(failure).map(|()| None)
			},
		}
	}

	async fn fetch(
		&self,
		connection: &Connection,
		block: Option<&Block<ChainConfig>>,
		number: u64,
	) -> Result<FinalizedBlock, Error> {
		let at = match block {
			Some(block) => self.chain.limited("a block", block.at()).await?,
			None => self.chain.limited("a block", connection.client.at_block(number)).await?,
		};
		let events = self.chain.limited("a block's events", at.events().fetch()).await?;
		let events = crate::event::market_events(at.metadata_ref(), events.iter())?;
		Ok(FinalizedBlock { events, snapshot: self.snapshot(at) })
	}

	fn snapshot(&self, at: ClientAtBlock) -> Snapshot {
		Snapshot::new(at, self.chain.settings().request_timeout)
	}
}

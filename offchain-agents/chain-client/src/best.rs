// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The best chain as it grows, and as it turns.

use crate::{
	chain::{Chain, Connection},
	config::ChainConfig,
	event::Event,
	heads::{Heads, Kind},
	known::Known,
	snapshot::Snapshot,
	Error, H256,
};
use std::{collections::VecDeque, sync::Arc};
use subxt::{backend::BlockRef, client::Block};

/// How many blocks may lie between two best blocks that the node announced, and still be asked for one by one.
const LONGEST_GAP: u64 = 16;

/// What comes next on the best chain. Nothing of it is certain: a fork may take it back.
pub enum BestItem {
	/// The child of the block before.
	Block {
		/// The market's events in it, in order.
		events: Vec<Event>,
		/// The market after it.
		snapshot: Snapshot,
	},
	/// A block that does not follow on the one before: the first, one on another fork, or one so much later that
	/// what is in between is not known. The market is to be read anew.
	Turn(Snapshot),
}

/// The best chain. See [`Chain::best_blocks`].
pub struct BestBlocks {
	chain: Chain,
	heads: Heads,
	/// What was delivered last, or waits to be.
	last: Option<(u64, H256)>,
	/// The head that is being taken in. It stays until that is done, so that a dropped future loses nothing.
	head: Option<Block<ChainConfig>>,
	ready: VecDeque<Item>,
}

/// As [`BestItem`], for whoever needs to know more of a block.
pub(crate) enum Item {
	Block(Arc<Known>),
	Turn(Arc<Known>),
}

impl BestBlocks {
	pub(crate) fn new(chain: Chain) -> Self {
		let heads = Heads::new(chain.clone(), Kind::Best);
		Self { chain, heads, last: None, head: None, ready: VecDeque::new() }
	}

	/// Subscribes now, so that no block from here on can be missed even if [`Self::next`] is first called later.
	///
	/// # Errors
	/// As of [`Chain::connect`].
	pub async fn start(&mut self) -> Result<(), Error> {
		while self.head.is_none() {
			self.head = self.heads.next().await?;
		}
		Ok(())
	}

	/// The next item. Waits for it if there is none yet; may be dropped and called again.
	///
	/// # Errors
	/// As of [`crate::FinalizedBlocks::next`].
	pub async fn next(&mut self) -> Result<BestItem, Error> {
		Ok(match self.next_known().await? {
			Item::Block(known) => {
				BestItem::Block { events: known.events(), snapshot: known.snapshot.clone() }
			},
			Item::Turn(known) => BestItem::Turn(known.snapshot.clone()),
		})
	}

	/// Whether the next item is here already: what came last is not the newest block.
	pub fn has_more(&self) -> bool {
		!self.ready.is_empty()
	}

	pub(crate) async fn next_known(&mut self) -> Result<Item, Error> {
		loop {
			if let Some(item) = self.ready.pop_front() {
				return Ok(item);
			}
			if self.head.is_none() {
				self.head = self.heads.next().await?;
			}
			// Only the latest counts.
			while let Some(later) = self.heads.ready() {
				self.head = Some(later);
			}
			let Some(head) = &self.head else { continue };
			// The chain with the most blocks is the best. A lower block comes when a connection begins, with what is
			// final; who goes back to it would do again what was done since.
			let is_new = self
				.last
				.is_none_or(|(number, hash)| head.number() >= number && head.hash() != hash);
			if is_new {
				let connection = self.chain.connection().await?;
				match self.walk(&connection, head).await {
					Ok(items) => {
						self.last = Some((head.number(), head.hash()));
						self.ready = items;
					},
					// It may be gone already; the next head leads to it, or past it. A connection that is lost
					// shows no next head.
					Err(error) if error.is_transient() => {
						tracing::debug!(number = head.number(), %error, "the best block cannot be read");
					},
					Err(error) => return Err(error),
				}
			}
			self.head = None;
		}
	}

	/// What leads to `head` from the last block.
	async fn walk(
		&self,
		connection: &Connection,
		head: &Block<ChainConfig>,
	) -> Result<VecDeque<Item>, Error> {
		let newest = self.chain.known(connection, head).await?;
		let Some((last, last_hash)) = self.last else {
			return Ok(VecDeque::from([Item::Turn(newest)]));
		};
		let mut blocks = VecDeque::from([newest.clone()]);
		let mut parent = head.header().parent_hash;
		let mut number = head.number();
		while parent != last_hash {
			number -= 1;
			if number <= last || head.number() - number > LONGEST_GAP {
				tracing::info!(number = head.number(), "the best chain is another");
				return Ok(VecDeque::from([Item::Turn(newest)]));
			}
			let block = BlockRef::from_hash(parent);
			let at = self.chain.limited("a block", connection.client.at_block(block)).await?;
			parent = self.chain.limited("a block's header", at.block_header()).await?.parent_hash;
			blocks.push_front(self.chain.known_at(connection, at).await?);
		}
		Ok(blocks.into_iter().map(Item::Block).collect())
	}
}
